import {describe, expect, it, onTestFinished, vi} from 'vitest';
import {FaultLedger} from '../../src/lab/fault-ledger.ts';
import {parseFault} from '../../src/lab/fault-request.ts';
import {type ActiveFault, shapeOf} from '../../src/lab/faults.ts';
import {CLEAR} from '../../src/lab/faulty-proxy.ts';

const REGIONS = ['us-east', 'eu-west', 'ap'];
const fault = (body: object) => parseFault(body, REGIONS, 0);
const link = (owner: string, target: string) => ({kind: 'link', owner, target}) as const;
const ingress = (region: string) => ({kind: 'ingress', region}) as const;

describe('shapeOf', () => {
  it('cuts every path of a lost region and none of another', () => {
    const lost = [fault({region: 'ap', kind: 'lose'})];
    for (const path of [ingress('ap'), link('ap', 'us-east'), link('us-east', 'ap')]) expect(shapeOf(path, lost).blackHole).toBe(true);
    for (const path of [ingress('us-east'), link('eu-west', 'us-east')]) expect(shapeOf(path, lost)).toEqual(CLEAR);
  });

  it('cuts only the two links of a partition from one other region', () => {
    const cut = [fault({region: 'ap', kind: 'partition', args: {from: 'us-east'}})];
    expect(shapeOf(link('ap', 'us-east'), cut).blackHole).toBe(true);
    expect(shapeOf(link('us-east', 'ap'), cut).blackHole).toBe(true);
    expect(shapeOf(link('ap', 'eu-west'), cut).blackHole).toBe(false);
    expect(shapeOf(ingress('ap'), cut).blackHole).toBe(false);
  });

  it('throttles what leaves the region, in whichever direction the link was dialled', () => {
    const slow = [fault({region: 'ap', kind: 'bandwidth', args: {bytesPerSecond: 1000}})];
    expect(shapeOf(link('ap', 'us-east'), slow)).toMatchObject({upBytesPerSecond: 1000, downBytesPerSecond: null});
    expect(shapeOf(link('us-east', 'ap'), slow)).toMatchObject({upBytesPerSecond: null, downBytesPerSecond: 1000});
    expect(shapeOf(ingress('ap'), slow)).toEqual(CLEAR);
  });

  it('throttles the line between two regions in both directions, and no other', () => {
    const slow = [fault({region: 'ap', kind: 'bandwidth', args: {bytesPerSecond: 1000, from: 'us-east'}})];
    for (const path of [link('ap', 'us-east'), link('us-east', 'ap')])
      expect(shapeOf(path, slow)).toMatchObject({upBytesPerSecond: 1000, downBytesPerSecond: 1000});
    for (const path of [link('ap', 'eu-west'), link('eu-west', 'ap')]) expect(shapeOf(path, slow)).toEqual(CLEAR);
  });

  it('adds delays and takes the narrowest bandwidth', () => {
    const both = [
      fault({region: 'ap', kind: 'latency', args: {ms: 20, jitterMs: 5}}),
      fault({region: 'us-east', kind: 'latency', args: {ms: 30}}),
      fault({region: 'ap', kind: 'bandwidth', args: {bytesPerSecond: 500}}),
    ];
    expect(shapeOf(link('ap', 'us-east'), both)).toEqual({
      blackHole: false,
      latencyMs: 50,
      jitterMs: 5,
      upBytesPerSecond: 500,
      downBytesPerSecond: null,
    });
  });
});

describe('parseFault', () => {
  it('gives ten minutes when no lease is asked for', () => {
    expect(fault({region: 'ap', kind: 'kill'})).toMatchObject({leaseMs: 600_000, endsAt: new Date(600_000).toISOString()});
  });

  it.each([
    [{region: 'mars', kind: 'kill'}, 'unknown region "mars"'],
    [{region: 'ap', kind: 'explode'}, 'kind: '],
    [{region: 'ap', kind: 'latency'}, 'latency needs args.ms'],
    [{region: 'ap', kind: 'bandwidth', args: {}}, 'bandwidth needs args.bytesPerSecond'],
    [{region: 'ap', kind: 'kill', args: {ms: 1}}, 'kill takes no arguments'],
    [{region: 'ap', kind: 'partition', args: {from: 'ap'}}, 'args.from must be another region'],
    [{region: 'ap', kind: 'kill', leaseMs: 0}, 'leaseMs: '],
  ])('refuses %j', (body, message) => {
    expect(() => fault(body)).toThrow(message);
  });
});

describe('FaultLedger', () => {
  it('ends a fault when its lease has run out, and forgets a healed one', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const expired: ActiveFault[] = [];
    const ledger = new FaultLedger((gone) => expired.push(gone));
    ledger.add(fault({region: 'ap', kind: 'kill', leaseMs: 1000}));
    ledger.add(fault({region: 'ap', kind: 'latency', args: {ms: 5}, leaseMs: 2000}));
    ledger.add(fault({region: 'us-east', kind: 'freeze', leaseMs: 2000}));
    vi.advanceTimersByTime(1500);
    expect(expired.map(({kind}) => kind)).toEqual(['kill']);
    expect(ledger.clear('ap').map(({kind}) => kind)).toEqual(['latency']);
    vi.advanceTimersByTime(1000);
    expect(expired.map(({kind}) => kind)).toEqual(['kill', 'freeze']);
    expect(ledger.all).toEqual([]);
  });

  it('gives the same fault a new lease', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const ledger = new FaultLedger(() => undefined);
    ledger.add(fault({region: 'ap', kind: 'kill', leaseMs: 1000}));
    vi.advanceTimersByTime(900);
    ledger.add(fault({region: 'ap', kind: 'kill', leaseMs: 1000}));
    vi.advanceTimersByTime(900);
    expect(ledger.all).toHaveLength(1);
  });
});
