import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {LinkReading} from '../../../src/lib/ports/store.ts';
import {linksOf} from '../../../src/lib/providers/redis/links.ts';
import {judgeLook} from '../../../src/lib/providers/redis/loss.ts';
import {unknown} from '../../../src/lib/snapshot/cell.ts';
import {cell, ensemble, NEW, OLD, OTHER} from './samples.ts';

describe('the links of any fleet of Redis', () => {
  const line = fc.record(
    {
      role: fc.constantFrom('master', 'slave'),
      master_replid: fc.constantFrom(OLD, NEW, OTHER),
      master_replid2: fc.constantFrom('0'.repeat(40), OLD, NEW),
      second_repl_offset: fc.integer({min: -1, max: 2000}),
      master_repl_offset: fc.nat(2000),
      slave_repl_offset: fc.nat(2000),
      slave_read_repl_offset: fc.nat(2000),
      master_host: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '10.9.9.9'),
      master_port: fc.constant(6379),
      master_link_status: fc.constantFrom('up', 'down'),
      master_last_io_seconds_ago: fc.integer({min: -1, max: 90}),
      master_link_down_since_seconds: fc.integer({min: -1, max: 90}),
      master_sync_in_progress: fc.constantFrom('0', '1'),
      repl_backlog_active: fc.constantFrom('0', '1'),
      repl_backlog_size: fc.nat(3000),
      repl_backlog_first_byte_offset: fc.nat(2000),
      slave0: fc
        .record({
          ip: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.8.8.8'),
          state: fc.constantFrom('online', 'wait_bgsave'),
          offset: fc.nat(2000),
          lag: fc.nat(60),
        })
        .map(({ip, state, offset, lag}) => `ip=${ip},port=6379,state=${state},offset=${offset},lag=${lag}`),
    },
    {requiredKeys: ['role', 'master_replid', 'master_host', 'master_port']},
  );
  const some = fc.oneof(
    line.map((lines) => cell(lines as Record<string, string | number>)),
    fc.constantFrom('timeout', 'refused').map((code) => unknown(code, `it is ${code}`, 0)),
  );

  it('have no figure that is negative or none, one link for each member but the primary, and a sentence for each cause', () => {
    fc.assert(
      fc.property(some, some, some, (us, eu, ap) => {
        const facts = {us, eu, ap};
        const links = linksOf(ensemble(['us', 'eu', 'ap']), facts);
        expect(new Set(links.map(({to}) => to)).size).toBe(links.length);
        expect(links.length).toBeGreaterThanOrEqual(2);
        for (const link of links) {
          const wrong = Object.entries(link).filter(([, value]) => typeof value === 'number' && !(value >= 0 && Number.isFinite(value)));
          expect(wrong).toEqual([]);
          if (link.cause !== undefined) expect(link.trouble).toContain(link.to);
          if (!link.senderRead) expect([link.replayBytes, link.runwayBytes, link.endOffset]).toEqual([null, null, null]);
          if (link.replayBytes !== null) expect(link.writeBytes).toBeLessThanOrEqual(link.replayBytes);
          expect(sent(link)).toBe(true);
        }
      }),
      {numRuns: 500},
    );
  });

  it('lose a number of bytes that is not negative, or say why it is not known', () => {
    fc.assert(
      fc.property(some, some, fc.constantFrom('us', 'eu', 'mars'), (us, eu, to) => {
        const look = judgeLook('cache', to, {us, eu});
        if ('nothing' in look) expect(look.nothing.length).toBeGreaterThan(5);
        else expect(look.behind).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

/** What a sender has on its way is never claimed. */
const sent = ({sendBytes}: LinkReading): boolean => sendBytes === null;
