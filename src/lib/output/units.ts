const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** What stands for a value that was not measured. */
export const NOT_MEASURED = '–';

/** A duration in ms for people: `412 ms`, `1.3 s`, `4 min 5 s`, `2 h 5 min`, `3 d 4 h`. Not measured = a dash. */
export function formatMs(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return NOT_MEASURED;
  if (ms < 0) return `-${formatMs(-ms)}`;
  if (Math.round(ms) < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE - 50) return `${trimZero((ms / SECOND).toFixed(1))} s`;
  const [big, size, small, part] =
    ms < HOUR - 500
      ? (['min', MINUTE, 's', SECOND] as const)
      : ms < DAY - 30 * SECOND
        ? (['h', HOUR, 'min', MINUTE] as const)
        : (['d', DAY, 'h', HOUR] as const);
  const parts = Math.round(ms / part);
  const rest = parts % (size / part);
  const whole = `${Math.floor(parts / (size / part))} ${big}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}

/** A size for people in powers of 1024: `0 B`, `512 B`, `1.5 MiB`. Not measured = a dash. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null || !Number.isFinite(bytes)) return NOT_MEASURED;
  if (bytes < 0) return `-${formatBytes(-bytes)}`;
  let size = bytes;
  let unit = 0;
  while (Math.round(size * 10) / 10 >= 1024 && unit < SIZES.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(size) : trimZero(size.toFixed(1))} ${SIZES[unit]}`;
}

/** A duration in ms for a narrow column, in one unit and at most 7 characters: `412 ms`, `1.3 s`, `4.1 min`, `59 min`, `2.5 h`, `3.2 d`. */
export function shortMs(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms) || ms < MINUTE - 50) return formatMs(ms);
  if (ms < HOUR - 30 * SECOND) return short(ms / MINUTE, 'min');
  return ms < DAY - 30 * MINUTE ? short(ms / HOUR, 'h') : short(ms / DAY, 'd');
}

/** A size for a narrow column, at most 8 characters: from 100 on without decimals. */
export function shortBytes(bytes: number | null): string {
  const [figure = '', unit] = formatBytes(bytes).split(' ');
  return unit === undefined ? figure : short(Number(figure), unit, 100);
}

function short(value: number, unit: string, wholeFrom = 10): string {
  return `${value >= wholeFrom - 0.05 ? Math.round(value) : trimZero(value.toFixed(1))} ${unit}`;
}

/** How long ago `at` was at `now` (both epoch ms): `just now`, `12 s ago`. A time that is still to come reads `in 12 s`. */
export function formatAge(at: number | null, now: number): string {
  if (at === null) return NOT_MEASURED;
  const age = now - at;
  if (Math.abs(age) < SECOND) return 'just now';
  const whole = Math.abs(age) < MINUTE ? Math.floor(Math.abs(age) / SECOND) * SECOND : Math.abs(age);
  return age < 0 ? `in ${formatMs(whole)}` : `${formatMs(whole)} ago`;
}

/** A time (epoch ms or ISO 8601) in UTC to the second: `2026-01-31 12:00:05Z`. */
export function formatTime(at: number | string | null): string {
  if (at === null) return NOT_MEASURED;
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return NOT_MEASURED;
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}
