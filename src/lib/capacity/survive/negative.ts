import type {Remark, Series} from '../series.ts';
import {timeText} from './figures.ts';

/**
 * A load without the values that are below zero: nothing that is carried is less than nothing, so that they are wrong, and would be taken off what others have. They are not
 * known then, and a remark says so. A series without any is given back as it is.
 */
export function withoutNegatives(series: Series): Series {
  const wrong = [...series.values.keys()].filter((step) => (series.values[step] ?? 0) < 0);
  const [first, last] = [wrong[0], wrong.at(-1)];
  if (first === undefined || last === undefined) return series;
  const [from, to] = [series.starts[first] ?? 0, series.starts[last] ?? 0];
  const says = `${wrong.length} ${wrong.length === 1 ? 'value is' : 'values are'} below zero, the newest at ${timeText(to)}: no load is, so they are left out`;
  const remark: Remark = {kind: 'negative', count: wrong.length, from, to, says};
  return {...series, values: series.values.map((value) => (value < 0 ? Number.NaN : value)), remarks: [...series.remarks, remark]};
}

/** What was left out of a load because it was below zero, in sentences that name it. */
export const negativesOf = ({name, region, remarks}: Series): readonly string[] =>
  remarks.filter(({kind}) => kind === 'negative').map(({says}) => `${name}${region === null ? '' : ` of ${region}`}: ${says}`);
