import {describe, expect, it, onTestFinished, vi} from 'vitest';
import {FaultLedger} from '../../src/lab/fault-ledger.ts';
import {parseFault} from '../../src/lab/fault-request.ts';
import {type ActiveFault, conditionOf, doorStateOf, shapeOf} from '../../src/lab/faults.ts';
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

  it('cuts one way: up on what the region dials, down on what is dialled to it, and the other way round', () => {
    const out = [fault({region: 'ap', kind: 'partition', args: {direction: 'out'}})];
    const into = [fault({region: 'ap', kind: 'partition', args: {direction: 'in'}})];
    const paths = [link('ap', 'us-east'), link('us-east', 'ap'), ingress('ap')];
    expect(paths.map((path) => shapeOf(path, out).blackHole)).toEqual(['up', 'down', 'down']);
    expect(paths.map((path) => shapeOf(path, into).blackHole)).toEqual(['down', 'up', 'up']);
    for (const path of [link('eu-west', 'us-east'), ingress('us-east')]) expect(shapeOf(path, out)).toEqual(CLEAR);
  });

  it('cuts one way between two regions only', () => {
    const out = [fault({region: 'ap', kind: 'partition', args: {direction: 'out', from: 'us-east'}})];
    expect([link('ap', 'us-east'), link('us-east', 'ap')].map((path) => shapeOf(path, out).blackHole)).toEqual(['up', 'down']);
    for (const path of [link('ap', 'eu-west'), link('eu-west', 'ap'), ingress('ap')]) expect(shapeOf(path, out)).toEqual(CLEAR);
  });

  it('cuts both ways what two faults cut one way each, whatever their order', () => {
    const cut = (region: string, direction: string) => fault({region, kind: 'partition', args: {direction}});
    const whole = fault({region: 'ap', kind: 'partition'});
    for (const [one, two, hole] of [
      [cut('ap', 'out'), cut('ap', 'in'), true],
      [cut('ap', 'out'), cut('us-east', 'out'), true],
      [cut('ap', 'out'), cut('us-east', 'in'), 'up'],
      [cut('ap', 'out'), whole, true],
    ] as const) {
      expect(shapeOf(link('ap', 'us-east'), [one, two]).blackHole).toBe(hole);
      expect(shapeOf(link('ap', 'us-east'), [two, one]).blackHole).toBe(hole);
    }
  });

  it('leaves the paths alone when only processes, answers, disk, clock or router are hurt', () => {
    const others = [
      ...['kill', 'freeze', 'database', 'service', 'disk-full'].map((kind) => fault({region: 'ap', kind})),
      fault({region: 'ap', kind: 'errors', args: {share: 1}}),
      fault({region: 'ap', kind: 'skew', args: {ms: 5000}}),
      fault({region: 'front-door', kind: 'router'}),
    ];
    for (const path of [link('ap', 'us-east'), ingress('ap')]) expect(shapeOf(path, others)).toEqual(CLEAR);
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

describe('conditionOf', () => {
  const well = {dead: {database: false, service: false}, frozen: false, diskFull: false, skewMs: 0, errorShare: 0};
  const condition = (...bodies: object[]) =>
    conditionOf(
      'ap',
      bodies.map((body) => fault({region: 'ap', ...body})),
    );

  it('is well without faults, and whatever becomes of others', () => {
    expect(condition()).toEqual(well);
    expect(conditionOf('ap', [fault({region: 'us-east', kind: 'lose'}), fault({region: 'front-door', kind: 'router'})])).toEqual(well);
    expect(condition({kind: 'partition'}, {kind: 'latency', args: {ms: 1}})).toEqual(well);
  });

  it.each([
    [[{kind: 'lose'}], {dead: {database: true, service: true}}],
    [[{kind: 'kill'}, {kind: 'database'}], {dead: {database: true, service: true}}],
    [[{kind: 'database'}], {dead: {database: true, service: false}}],
    [[{kind: 'service'}], {dead: {database: false, service: true}}],
    [[{kind: 'service'}, {kind: 'database'}], {dead: {database: true, service: true}}],
    [[{kind: 'freeze'}, {kind: 'disk-full'}], {frozen: true, diskFull: true}],
    [
      [
        {kind: 'skew', args: {ms: -5}},
        {kind: 'errors', args: {share: 0.5}},
      ],
      {skewMs: -5, errorShare: 0.5},
    ],
  ])('adds up %j', (bodies, expected) => {
    expect(condition(...bodies)).toEqual({...well, ...expected});
  });
});

describe('doorStateOf', () => {
  it('is open, closed or silent', () => {
    const router = (args: object) => fault({region: 'front-door', kind: 'router', args});
    expect(doorStateOf([fault({region: 'ap', kind: 'lose'})])).toBe('open');
    expect([doorStateOf([router({})]), doorStateOf([router({silent: false})]), doorStateOf([router({silent: true})])]).toEqual([
      'closed',
      'closed',
      'silent',
    ]);
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
    [{region: 'ap', kind: 'database', args: {from: 'us-east'}}, 'database takes no arguments, so not args.from'],
    [{region: 'ap', kind: 'partition', args: {ms: 1}}, 'partition takes no arguments but from, direction, so not args.ms'],
    [{region: 'ap', kind: 'partition', args: {direction: 'up'}}, 'args.direction: '],
    [{region: 'ap', kind: 'latency', args: {ms: -1}}, 'args.ms: '],
    [{region: 'ap', kind: 'errors'}, 'errors needs args.share, the share of requests from 0 to 1'],
    [{region: 'ap', kind: 'errors', args: {share: 1.1}}, 'args.share: '],
    [{region: 'ap', kind: 'disk-full', args: {what: 'data'}}, 'args.what: '],
    [{region: 'ap', kind: 'skew', args: {}}, 'skew needs args.ms'],
    [{region: 'ap', kind: 'skew', args: {ms: 86_400_001}}, 'args.ms: '],
    [{region: 'ap', kind: 'skew', args: {ms: 0.5}}, 'args.ms: '],
    [{region: 'ap', kind: 'router'}, 'router is possible at front-door only, not at "ap"'],
    [{region: 'front-door', kind: 'kill'}, 'front-door is a router: the only fault that it can have is router, not kill'],
    [{region: 'front-door', kind: 'router', args: {silent: 1}}, 'args.silent: '],
    [{region: 'mars', kind: 'router'}, 'unknown region "mars"; the lab has us-east, eu-west, ap, front-door'],
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

  it('holds both directions of a partition, and takes back one fault that could not be injected', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const ledger = new FaultLedger(() => undefined);
    const [out, into] = ['out', 'in'].map((direction) => fault({region: 'ap', kind: 'partition', args: {direction}}));
    if (out === undefined || into === undefined) throw new Error('two faults');
    ledger.add(out);
    ledger.add(into);
    expect(ledger.of('ap')).toEqual([out, into]);
    ledger.remove(out);
    expect(ledger.all).toEqual([into]);
    const renewed = {...into};
    ledger.add(renewed);
    ledger.remove(into); // Its place was taken by another.
    expect(ledger.all).toEqual([renewed]);
  });
});
