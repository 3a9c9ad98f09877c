import {Errors, Flags} from '@oclif/core';
import {EXIT} from '../lib/exit-codes.ts';

const HOUR_MS = 3_600_000;
const UNITS = {ms: 1, s: 1000, m: 60_000, h: HOUR_MS, d: 24 * HOUR_MS} as const;

/** A flag for durations of up to so many hours. */
export const durationUpTo = (hours: number) =>
  Flags.custom<number>({
    helpValue: 'DURATION',
    parse: async (input) => {
      const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(input);
      if (!match) throw new Errors.CLIError(`expected a duration such as 250ms, 5s or 15m, got "${input}"`, {exit: EXIT.usage});
      const ms = Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
      if (ms > hours * HOUR_MS)
        throw new Errors.CLIError(`a duration of at most ${hours}h is possible, got "${input}"`, {exit: EXIT.usage});
      return ms;
    },
  });

/** A duration flag for a part of a history, which no timer waits for: up to twenty years. */
export const pastFlag = durationUpTo(20 * 8760);
