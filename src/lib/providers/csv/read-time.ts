/** A time as it is written: `at` = epoch ms, or `wallMs` = what the clocks of some zone show, as ms since 1970 as if it were UTC. */
export type WrittenTime = {readonly at: number} | {readonly wallMs: number};

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)? ?(Z|[+-]\d{2}:?\d{2})?$/i;

/** Reads ISO 8601 (date, or date and time, with or without an offset) and Unix times in seconds (10 digits) or ms (13). Null = it is none. */
export function readTime(text: string): WrittenTime | null {
  if (/^\d{9,10}(\.\d+)?$/.test(text)) return {at: Math.round(Number(text) * 1000)};
  if (/^\d{12,13}$/.test(text)) return {at: Number(text)};
  const match = ISO.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', offset] = match;
  const fields = [year, month, day, hour, minute, second].map(Number) as [number, number, number, number, number, number];
  const wallMs = wallOf(fields);
  if (wallMs === null) return null;
  const whole = wallMs + Math.round(Number(`0.${fraction}`) * 1000);
  return offset === undefined ? {wallMs: whole} : {at: whole - offsetMs(offset)};
}

/** Null = there is no such day or time, such as February 30. */
function wallOf([year, month, day, hour, minute, second]: readonly [number, number, number, number, number, number]): number | null {
  const wall = new Date(0);
  wall.setUTCFullYear(year, month - 1, day);
  if (wall.getUTCMonth() !== month - 1 || wall.getUTCDate() !== day || hour > 23 || minute > 59 || second > 60) return null;
  return wall.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}

function offsetMs(offset: string): number {
  if (/^z$/i.test(offset)) return 0;
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(offset) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
