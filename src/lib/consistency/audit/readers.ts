import {isRegionctlError, messageOf} from '../../errors.ts';
import type {AuditedMember, LostMember} from './model.ts';

/** The members that are read side by side. One that fails is left out from then on, and told of. */
export type Readers = {
  /** Those that are still read. */
  active(): readonly AuditedMember[];
  lost(): readonly LostMember[];
  /** Asks every active member at once. Throws `too-few` when fewer than two are left. */
  each<T>(ask: (member: string) => Promise<T>): Promise<readonly {readonly of: AuditedMember; readonly value: T}[]>;
  lose(of: AuditedMember, code: string, reason: string): void;
};

/** Fewer than two members are left, so nothing can be compared. */
export class TooFew extends Error {}

/** All members are active at first, and those that were lost `before` are told of as well. An abort of `signal` is nobody's fault and is passed on. */
export function createReaders(members: readonly AuditedMember[], signal: AbortSignal, before: readonly LostMember[] = []): Readers {
  let active = members;
  const lost: LostMember[] = [...before];
  const lose = (of: AuditedMember, code: string, reason: string): void => {
    if (!active.includes(of)) return;
    active = active.filter((each) => each !== of);
    lost.push({...of, code, reason});
  };
  const assertEnough = (): void => {
    if (active.length < 2) throw new TooFew(lost.at(-1)?.reason ?? 'There are fewer than two members to compare.');
  };
  return {
    active: () => active,
    lost: () => lost,
    lose,
    each: async (ask) => {
      assertEnough();
      const answers = await Promise.all(
        active.map(async (of) => {
          try {
            return [{of, value: await ask(of.member)}];
          } catch (error) {
            signal.throwIfAborted();
            lose(of, isRegionctlError(error) ? error.code : 'error', messageOf(error));
            return [];
          }
        }),
      );
      assertEnough();
      return answers.flat();
    },
  };
}
