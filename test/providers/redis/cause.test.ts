import {describe, expect, it} from 'vitest';
import {causeOf} from '../../../src/lib/providers/redis/cause.ts';
import {unknown} from '../../../src/lib/snapshot/cell.ts';
import {cell, PRIMARY, STANDBY} from './samples.ts';

describe('the cause of a link', () => {
  const ends = {
    to: 'eu',
    from: 'us',
    own: cell(STANDBY),
    sending: cell(PRIMARY),
    listed: null,
    primary: 'us',
    root: {name: 'us', role: 'primary'},
  } as const;
  const listed = {address: {host: '10.0.0.2', port: 6379}, state: 'online', offset: 990, silentSeconds: 2};

  it('is none on a link that is well, or that was silent for less than three acknowledgements', () => {
    expect(causeOf({...ends, listed})).toBe(null);
    expect(causeOf({...ends, listed: {...listed, silentSeconds: 3}})).toMatchObject({code: 'no-acknowledgement', state: 'stalled'});
  });

  it('is a receiver that cannot be asked while something is outstanding, unless it may be frozen', () => {
    const refused = unknown('auth', 'eu: it refuses the login', 0);
    expect(causeOf({...ends, own: refused, listed})).toEqual({
      code: 'receiver-unread',
      state: 'late',
      says: 'us counts what eu has not acknowledged, and eu could not be asked: eu: it refuses the login',
    });
    expect(causeOf({...ends, own: refused, listed: {...listed, offset: 1000}})).toBe(null);
    expect(causeOf({...ends, own: unknown('timeout', 'eu: no answer', 0), listed})).toBe(null);
    expect(causeOf({...ends, own: refused, listed: {...listed, silentSeconds: 9}})).toMatchObject({code: 'no-acknowledgement'});
  });

  it('is no longer a copy once the receiver has it, though the sender has not noticed', () => {
    const waits = {...listed, state: 'wait_bgsave'};
    expect(causeOf({...ends, listed: waits})).toBe(null);
    const down = cell({...STANDBY, master_link_status: 'down', master_link_down_since_seconds: 4});
    expect(causeOf({...ends, own: down, listed: waits})).toMatchObject({
      code: 'syncing',
      state: 'late',
      says: 'eu takes a full copy from us',
    });
    expect(causeOf({...ends, own: down})).toEqual({code: 'link-down', state: 'broken', says: 'eu has had no link to us for 4 s'});
  });

  it('is a primary that was replaced, also further up the chain', () => {
    expect(causeOf({...ends, primary: 'ap'})).toMatchObject({code: 'wrong-master', says: 'eu replicates from us, and ap is the primary'});
    const up = {...ends, primary: 'ap', root: {name: 'old', role: 'primary'}} as const;
    expect(causeOf(up)).toMatchObject({says: 'eu replicates from us, which old leads, and ap is the primary'});
    expect(causeOf({...ends, primary: 'ap', root: {name: 'us', role: 'unread'}})).toBe(null);
  });
});
