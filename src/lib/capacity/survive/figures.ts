/** A figure for a sentence: three digits that count, more where it is whole and large: `1,234`, `12.3`, `0.0123`. */
export function figure(value: number): string {
  const digits = Math.abs(value) >= 100 ? {maximumFractionDigits: 0} : {maximumSignificantDigits: 3};
  return value.toLocaleString('en-US', digits);
}

/** A time (epoch ms) for a sentence, in UTC to the minute: `2026-11-28 20:00Z`. */
export function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}
