import {unavailable} from '../../../errors.ts';
import {bytesOf, listOf} from './content.ts';
import {type KeyHash, keyHash} from './hash.ts';
import {type AuditMember, answers} from './member.ts';
import {MOST_SEEN, Seen} from './seen.ts';

/** A key that SCAN named, for the first time. */
export type ScannedKey = {readonly key: Buffer; readonly hash: KeyHash};

export type ScanJob = {
  readonly member: AuditMember;
  readonly database: number;
  /** How many keys are wanted, about. */
  readonly expected: number;
  readonly wants: (hash: KeyHash) => boolean;
  /** Gets keys that were wanted, some at a time. A few such calls run at once. */
  readonly take: (keys: readonly ScannedKey[]) => Promise<void>;
  readonly pace: () => Promise<void>;
  readonly signal: AbortSignal;
};

/** Places of the table that one SCAN looks at: the server does nothing else for about 0.1 ms. */
const COUNT = '250';
/**
 * Keys that are read at once, and how many such readings may be on their way: the next SCAN is asked meanwhile. More would be no faster, and outlive the young
 * generation: a thousand at a time made 100 MB of old garbage out of a million keys.
 */
const BATCH = 256;
const AT_ONCE = 2;

/**
 * Every key of a database that is there from beginning to end, once. Keys that come or go meanwhile may be named or not. A server may name a key twice,
 * when its table changes size: the second time it is left out.
 */
export async function scan({member, database, expected, wants, take, pace, signal}: ScanJob): Promise<void> {
  const seen = new Seen(expected);
  const running: Promise<void>[] = [];
  let batch: ScannedKey[] = [];
  const hand = async (): Promise<void> => {
    if (running.length >= AT_ONCE) await running.shift();
    const reading = take(batch);
    reading.catch(() => undefined);
    running.push(reading);
    batch = [];
  };
  try {
    let cursor: Buffer | null = Buffer.from('0');
    while (cursor !== null) {
      await pace();
      const [answer]: readonly unknown[] = await answers(member, database, [['SCAN', cursor, 'COUNT', COUNT]], signal);
      const [next, keys] = listOf(answer as never);
      for (const each of listOf(keys)) {
        const key = bytesOf(each);
        const hash = keyHash(key);
        if (wants(hash) && seen.add(hash.id)) batch.push({key, hash});
      }
      if (seen.size > MOST_SEEN)
        throw unavailable('too-many-keys', `${member.name}: db${database} has grown since the audit began: begin again.`);
      if (batch.length >= BATCH) await hand();
      cursor = bytesOf(next).equals(END) ? null : bytesOf(next);
    }
    if (batch.length > 0) await hand();
  } finally {
    // What was asked is answered before anything else is: also when it does not matter any more.
    await Promise.allSettled(running);
  }
  await Promise.all(running);
}

const END = Buffer.from('0');
