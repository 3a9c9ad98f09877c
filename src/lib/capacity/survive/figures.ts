/** From here on, and below that, digits would be zeros that nobody can count. */
const [LARGE, SMALL] = [1e15, 1e-6];

/** A figure for a sentence: three digits that count, more where it is whole and large: `1,234`, `12.3`, `0.0123`; far from one with an exponent: `1e+99`, `1.5e-9`. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= LARGE || (size > 0 && size < SMALL)) return value.toExponential(2).replace(/\.?0+e/, 'e');
  const digits = size >= 100 ? {maximumFractionDigits: 0} : {maximumSignificantDigits: 3};
  return value.toLocaleString('en-US', digits);
}

/** A time (epoch ms) for a sentence, in UTC to the minute: `2026-11-28 20:00Z`. */
export function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
