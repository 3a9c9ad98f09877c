/** What a generator says of one request: when it was sent (epoch ms), how long it took, and how it ended. */
export type GeneratorLine = {readonly at: number; readonly ms: number; readonly ok: boolean; readonly text: string};

const FORM = /^(\S+)[ \t]+(\S+)[ \t]+(ok|error)(?:[ \t]+(\S.*))?$/;
const NUMBER = /^\d+(?:\.\d+)?$/;
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)$/;
const TEXT_CHARACTERS = 100;
/** A time that is further from now than this is none of this run, such as one in seconds. */
const FAR_MS = 3_600_000;

/** Reads a line `<epoch ms or ISO time> <latency in ms> ok|error [text]`; null = it does not fit. `wall` is now, epoch ms. Pure. */
export function generatorLine(line: string, wall: number): GeneratorLine | null {
  const [, time = '', latency = '', end, text = ''] = FORM.exec(line.trim()) ?? [];
  if (end === undefined || !NUMBER.test(latency)) return null;
  const at = NUMBER.test(time) ? Number(time) : ISO.test(time) ? Date.parse(time) : Number.NaN;
  const ms = Number(latency);
  if (!(Math.abs(at - wall) <= FAR_MS) || !(ms <= FAR_MS)) return null;
  return {at, ms, ok: end === 'ok', text: text.slice(0, TEXT_CHARACTERS)};
}
