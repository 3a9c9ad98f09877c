import {NOT_MEASURED} from './units.ts';

/** A value of any size for a column, with `digits` significant digits: `1,204`, `0.0312`, `1.5e+21`. Not measured = a dash. */
export function formatFigure(value: number | null, digits = 4): string {
  if (value === null || !Number.isFinite(value)) return NOT_MEASURED;
  const size = Math.abs(value);
  if (size >= 1e12 || (size > 0 && size < 1e-4)) return value.toExponential(2);
  const decimals = size === 0 ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return value.toLocaleString('en-US', {maximumFractionDigits: Math.min(decimals, 20)});
}

/** A share in percent: `3.2 %`, `140 %`. Not measured = a dash. */
export const formatPercent = (percent: number | null): string => (percent === null ? NOT_MEASURED : `${formatFigure(percent, 3)} %`);
