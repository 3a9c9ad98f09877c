import {createHash} from 'node:crypto';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {hash64, hex64, keyHash, Sums} from '../../../../src/lib/providers/redis/audit/hash.ts';
import {Seen} from '../../../../src/lib/providers/redis/audit/seen.ts';

const half = fc.integer({min: 0, max: 2 ** 32 - 1});
const hashes = fc.record({high: half, low: half});

describe('hashes of 64 bits', () => {
  it('are the beginning of SHA-256, and keys are told apart by other bits than those by which they are put into chunks', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 200}), (array) => {
        const whole = createHash('sha256').update(array).digest('hex');
        expect(hex64(hash64(Buffer.from(array)))).toBe(whole.slice(0, 16));
        const {part, chunk, id} = keyHash(Buffer.from(array));
        expect(part.toString(16).padStart(8, '0') + chunk.toString(16).padStart(8, '0') + hex64(id)).toBe(whole.slice(0, 32));
      }),
    );
  });

  it('add up exactly, also beyond the bits of a number', () => {
    const sums = new Sums(2);
    const most = {high: 2 ** 32 - 1, low: 2 ** 32 - 1};
    const rows = 2 ** 20 + 3;
    for (let row = 0; row < rows; row++) sums.add(1, most);
    expect(sums.sum(1)).toBe(BigInt(rows) * (2n ** 64n - 1n));
    expect([sums.rows(0), sums.rows(1), sums.sum(0)]).toEqual([0, rows, 0n]);
  });

  it('are known again, however many there are, and zero is one of them', () => {
    fc.assert(
      fc.property(fc.array(hashes, {maxLength: 500}), fc.integer({min: 0, max: 100}), (all, expected) => {
        const seen = new Seen(expected);
        const known = new Set<string>();
        for (const each of [...all, ...all]) {
          expect(seen.add(each)).toBe(!known.has(hex64(each)));
          known.add(hex64(each));
        }
        expect(seen.size).toBe(known.size);
      }),
    );
    const seen = new Seen(0);
    expect([seen.add({high: 0, low: 0}), seen.add({high: 0, low: 0})]).toEqual([true, false]);
  });
});
