import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import type {LagMonitor, LagWatchView, LinkChange} from '../../src/lib/operate/lag-watch.ts';
import {printLag} from '../../src/lib/ui/show-watch.ts';
import {BROKEN, CHANGE, lagView, linkNow} from './lag-samples.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const STREAMS = linkNow('us-east', 'eu-west');
const FIRST: LinkChange = {...CHANGE, was: null, state: 'streaming', breakerWas: null};

/** A monitor that is told what to see, and prints by `printLag`. */
function world(format: 'text' | 'ndjson' = 'text') {
  const seen = {view: lagView([], {waiting: ['orders']})};
  const listeners = new Set<(change: LinkChange) => void>();
  const monitor: LagMonitor = {
    view: () => seen.view,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: async () => null,
  };
  const said: string[] = [];
  const shown = printLag(monitor, {format, print: (line) => said.push(line), tell: (line) => said.push(`! ${line}`)});
  // As the monitor does it: it tells, and then has it in its view.
  const becomes = async (view: LagWatchView, change: LinkChange | null, waitMs = 150) => {
    if (change !== null) for (const listener of listeners) listener(change);
    seen.view = view;
    await vi.advanceTimersByTimeAsync(waitMs);
  };
  const short = () => said.splice(0).map((line) => line.replace(/^.*Z {2}/u, '').slice(0, 60));
  return {shown, becomes, short, said, listeners};
}

describe('links as lines', () => {
  it('prints each link once it is known, then its changes, each once', async () => {
    const {becomes, short} = world();
    await becomes(lagView([STREAMS]), FIRST);
    await becomes(lagView([STREAMS]), null, 1000);
    await becomes(lagView([BROKEN]), CHANGE);
    expect(short()).toEqual([
      'orders us-east → eu-west  streaming, 0 ms behind, 0 B to rep',
      'orders us-east → eu-west  streaming → broken: us-east has no',
    ]);
  });

  it('prints how a link stands before a change that comes at once', async () => {
    const {becomes, short} = world();
    await becomes(lagView([STREAMS]), FIRST, 0);
    await becomes(lagView([BROKEN]), CHANGE, 0);
    expect(short().map((line) => line.slice(26, 43))).toEqual(['streaming, 0 ms b', 'streaming → broke']);
  });

  it('says that a link is gone, and how it stands when it is back', async () => {
    const {becomes, short} = world();
    await becomes(lagView([STREAMS]), FIRST);
    await becomes(lagView([]), null);
    await becomes(lagView([BROKEN]), {...FIRST, state: 'broken'});
    expect(short().map((line) => line.slice(0, 34))).toEqual([
      'orders us-east → eu-west  streamin',
      '! orders us-east → eu-west is gone',
      'orders us-east → eu-west  broken, ',
    ]);
  });

  it('tells a store that cannot be read when that begins and when it ends, and each note once', async () => {
    const {becomes, short} = world();
    const lost = (reason: string) => lagView([], {unread: [{store: 'orders', reason}], notes: ['disk full']});
    await becomes(lost('refused'), null);
    await becomes(lost('timed out'), null);
    await becomes(lagView([], {notes: ['disk full']}), null);
    await becomes(lost('refused'), null);
    expect(short()).toEqual([
      '! disk full',
      '! orders could not be read: refused',
      '! orders can be read again',
      '! orders could not be read: refused',
    ]);
  });

  it('prints JSON lines with a type, and ends with what it has not said yet', async () => {
    const {shown, becomes, said, listeners} = world('ndjson');
    await becomes(lagView([STREAMS]), null, 0);
    await shown.end();
    expect(said.map((line) => (JSON.parse(line) as {type: string}).type)).toEqual(['link']);
    expect(listeners.size).toBe(0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(said).toHaveLength(1);
  });
});
