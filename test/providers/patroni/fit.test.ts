import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import type {Finding} from '../../../src/lib/ports/finding.ts';
import {fitness} from '../../../src/lib/providers/patroni/fit.ts';
import type {Move} from '../../../src/lib/providers/patroni/fit-picture.ts';
import {clusterOf, type Script, type Scripted, scriptedWorld} from './scripted.ts';

/* Each folder: `given.json` says what differs from three members that are well with `us` leading, `findings.txt` what is said of the move. */
const CASES = join(import.meta.dirname, 'golden', 'fit');

type Given = {
  readonly move: Move;
  readonly wanted?: Script['wanted'];
  readonly members?: Readonly<Record<string, Partial<Scripted>>>;
  /** Who is listed with the leader key (default `us`), what differs for each member, and of the whole. */
  readonly leader?: string | null;
  readonly listed?: Readonly<Record<string, object>>;
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly config?: Script['config'];
  /** A version that a member's Patroni had told before it fell silent. */
  readonly told?: Readonly<Record<string, string>>;
};

describe('what speaks against a handover', () => {
  it.concurrent.each(readdirSync(CASES))('%s', async (name) => {
    const given = JSON.parse(readFileSync(join(CASES, name, 'given.json'), 'utf8')) as Given;
    const {leader = 'us', listed = {}, wanted = {}, members = {}, config = {}} = given;
    const script = {wanted: {dcs: 'etcd3', ...wanted} as const, members, config, cluster: {...clusterOf(leader, listed), ...given.cluster}};
    const world = await scriptedWorld(script);
    try {
      for (const [member, version] of Object.entries(given.told ?? {})) world.ensemble.versions.set(member, version);
      const findings = await fitness(world.ensemble, given.move, AbortSignal.timeout(10_000));
      expect(findings.map(lineOf).join('')).toBe(readFileSync(join(CASES, name, 'findings.txt'), 'utf8'));
      expect(world.arrivals).toEqual([]);
    } finally {
      await world.close();
    }
  });
});

function lineOf({check, verdict, says, fix, member}: Finding): string {
  const text = `${verdict} | ${check} | ${member ?? '-'} | ${says}${fix === null ? '' : ` | ${fix}`}`;
  return `${text.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')}\n`;
}
