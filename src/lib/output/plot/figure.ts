const LARGE = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** A number for an axis or a narrow column, with three significant digits and at most 7 characters: `0`, `0.012`, `12.3`, `1.23k`, `450M`. Not known = a dash. */
export function shortFigure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value < 0) return `-${shortFigure(-value)}`;
  if (value === 0) return '0';
  if (value >= 999.5e12 || value < 0.0005) return value.toExponential(1).replace('e+', 'e');
  for (const [size, letter] of LARGE) if (value >= size * 0.9995) return `${digits(value / size)}${letter}`;
  return digits(value);
}

function digits(value: number): string {
  const decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 3;
  const text = value.toFixed(decimals);
  return decimals === 0 ? text : text.replace(/\.?0+$/, '');
}
