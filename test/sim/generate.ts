import fc from 'fast-check';
import type {Command, Disturbance, History, Place, Point, WorldEvent} from './history.ts';
import type {Job} from './operator.ts';
import type {FleetSetup} from './sim-fleet.ts';
import type {WriterSpec} from './writers.ts';

type What = WorldEvent['what'];

/** When the trouble begins, in ms. */
const TROUBLE_MS = 500;

const names = ['us-east', 'eu-west', 'ap', 'sa', 'af'] as const;
const nameOf = (member: number): string => names[member] ?? 'us-east';

/** Restart times that the issue names, and never. */
const restartAfter = fc.constantFrom(0, 100, 500, 2000, null);

const setup: fc.Arbitrary<FleetSetup> = fc
  .record({
    seed: fc.integer({min: 1, max: 2 ** 31 - 1}),
    members: fc.constantFrom(3, 3, 3, 4, 5),
    quorum: fc.constantFrom(1, 1, 1, 2),
    // Unequal, and by chance swapped: the wanted target is often behind.
    delays: fc.array(fc.constantFrom(3, 8, 40, 150), {minLength: 4, maxLength: 4}),
    hosts: fc.array(fc.constantFrom('none', 'stop', 'rewind'), {minLength: 5, maxLength: 5}) as fc.Arbitrary<FleetSetup['hosts']>,
    hostile: fc.array(
      fc.record({
        via: fc.constantFrom('us-east', 'us-east', 'eu-west', 'ap'),
        level: fc.constantFrom('quorum', 'quorum', 'local'),
        cancels: fc.boolean(),
      }),
      {maxLength: 3},
    ),
  })
  .map(({hostile, ...rest}) => {
    const app: WriterSpec = {via: 'router', level: 'quorum', everyMs: 20, cancels: false};
    const stubborn: WriterSpec = {via: 'us-east', level: 'quorum', everyMs: 15, cancels: false};
    return {...rest, writers: [app, stubborn, ...hostile.map((each): WriterSpec => ({...each, everyMs: 40}) as WriterSpec)]};
  });

const labels = [
  'promote',
  'clock',
  'alter system primary_conninfo',
  'reload',
  'try lock',
  'lock is mine',
  'let go?',
  'terminate the others',
  'put pg_hba back',
];

const point: fc.Arbitrary<Point> = fc.oneof(
  {weight: 4, arbitrary: fc.integer({min: 1, max: 220}).map((count): Point => ({kind: 'send', count, label: null}))},
  {weight: 3, arbitrary: fc.constantFrom('promote', 'promote', ...labels).map((label): Point => ({kind: 'send', count: null, label}))},
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom('append', 'appended'),
        fc.constantFrom(
          'intent promote',
          'intent seal',
          'result seal',
          'intent fence',
          'result fence',
          'step-started promote',
          'result promote',
          'intent follow',
          'intent claim',
        ),
      )
      .map(([kind, label]): Point => ({kind, count: null, label}) as Point),
  },
);

const standby = fc.integer({min: 1, max: 2});

/** What happens while a process sleeps. */
const meanwhile: fc.Arbitrary<readonly What[]> = fc.oneof(
  fc.constant([]),
  standby.map((member): What[] => [{kind: 'reattach', member}]),
  fc.constant<What[]>([
    {kind: 'reattach', member: 1},
    {kind: 'reattach', member: 2},
  ]),
  fc.constant<What[]>([{kind: 'start', member: 0}]),
  fc.constant<What[]>([{kind: 'thaw', member: 0}]),
  standby.map((member): What[] => [{kind: 'restart', member}]),
  fc.constant<What[]>([
    {kind: 'restart', member: 1},
    {kind: 'restart', member: 2},
    {kind: 'command', command: 1},
  ]),
  fc.constant<What[]>([{kind: 'command', command: 1}]),
);

const disturbance: fc.Arbitrary<Disturbance | null> = fc.option(
  fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({
        at: point,
        act: fc.constantFrom('kill', 'kill-sent', 'interrupt'),
        ms: fc.constant(0),
        meanwhile: fc.constant([]),
      }),
    },
    // Long enough that whatever a hand does at its beginning is older than a proof may be.
    {weight: 3, arbitrary: fc.record({at: point, act: fc.constant('sleep'), ms: fc.integer({min: 1500, max: 5000}), meanwhile})},
    {
      weight: 1,
      arbitrary: fc.record({
        at: point,
        act: fc.constant('sleep'),
        ms: fc.integer({min: 1, max: 900}),
        meanwhile: fc.constantFrom<What[]>([], [{kind: 'command', command: 1}]),
      }),
    },
  ) as fc.Arbitrary<Disturbance>,
  {freq: 3},
);

const next = fc.option(
  fc.record({afterMs: fc.constantFrom(0, 50, 400, 1500), kind: fc.constantFrom('resume', 'resume', 'undo')}) as fc.Arbitrary<
    NonNullable<Command['next']>
  >,
  {freq: 3},
);

function jobOf(kind: 'failover' | 'switchover' | 'failback', from: number, to: number, guardMs: number, takesOver = false): Job {
  const overrides = [...(kind === 'failover' ? ['region-down', 'primary-silent', 'survivors'] : []), ...(takesOver ? ['unclaimed'] : [])];
  return {kind, from: nameOf(from), to: nameOf(to), overrides, guardMs};
}

/** How the first primary is lost, or seems to be. */
const trouble: fc.Arbitrary<readonly WorldEvent[]> = fc.oneof(
  restartAfter.map((after): WorldEvent[] => [
    {at: TROUBLE_MS, what: {kind: 'crash', member: 0}},
    ...(after === null ? [] : [{at: TROUBLE_MS + after, what: {kind: 'start', member: 0} as const}]),
  ]),
  fc
    .option(fc.integer({min: 100, max: 6000}))
    .map((after): WorldEvent[] => [
      {at: TROUBLE_MS, what: {kind: 'freeze', member: 0}},
      ...(after === null ? [] : [{at: TROUBLE_MS + after, what: {kind: 'thaw', member: 0} as const}]),
    ]),
  // Cut off from the operators and from some standbys; who is on its side goes on with it.
  fc
    .tuple(fc.subarray([1, 2, 3, 4]), fc.boolean(), fc.option(fc.integer({min: 300, max: 8000})))
    .map(([standbys, withHost, after]): WorldEvent[] => {
      const to: Place[] = ['operators', ...standbys];
      const cuts = [
        ...to.map((place): What => ({kind: 'cut', from: 0, to: place})),
        ...(withHost ? [{kind: 'cut', from: 'host:0', to: 'operators'} as const] : []),
      ];
      const mends = cuts.map((what): What => ({...what, kind: 'mend'}) as What);
      return [
        ...cuts.map((what) => ({at: TROUBLE_MS, what})),
        ...(after === null ? [] : mends.map((what) => ({at: TROUBLE_MS + after, what}))),
      ];
    }),
  fc.constant([]),
);

/** More of everything, at any time. */
const noise: fc.Arbitrary<readonly WorldEvent[]> = fc.array(
  fc.record({
    at: fc.integer({min: TROUBLE_MS, max: 5000}),
    what: fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({kind: fc.constantFrom('crash', 'start', 'restart', 'freeze', 'thaw'), member: fc.integer({min: 0, max: 3})}),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constantFrom('cut', 'mend'),
          from: fc.integer({min: 0, max: 2}),
          to: fc.constantFrom(1, 2, 3, 'operators'),
        }),
      },
      {weight: 1, arbitrary: fc.record({kind: fc.constant('break-lease'), dir: fc.constant(0)})},
    ) as fc.Arbitrary<What>,
  }),
  {maxLength: 4},
);

const startAt = fc.integer({min: TROUBLE_MS, max: TROUBLE_MS + 600});
const guardMs = fc.constantFrom(0, 0, 600, 3000);

/** The first command: a failover mostly. */
const first: fc.Arbitrary<Command> = fc.record({
  at: startAt,
  dir: fc.constant(0),
  job: fc
    .tuple(fc.constantFrom('failover', 'failover', 'failover', 'switchover'), guardMs)
    .map(([kind, ms]) => jobOf(kind as 'failover', 0, 1, ms)),
  disturbance,
  next,
});

/** Another one, at any time, or (`at` -1) while the first one sleeps: another operator's, or one that takes the same run up. */
const second: fc.Arbitrary<Command | null> = fc.option(
  fc.record({
    at: fc.oneof(fc.constant(-1), fc.integer({min: TROUBLE_MS, max: TROUBLE_MS + 3000})),
    dir: fc.constantFrom(0, 1, 1),
    job: fc
      .tuple(fc.constantFrom('failover', 'failover', 'resume', 'undo', 'failback'), fc.constantFrom(1, 2, 2), guardMs)
      .map(([kind, to, ms]): Job => {
        if (kind === 'resume' || kind === 'undo') return {kind, guardMs: ms};
        return kind === 'failback' ? jobOf('failback', 1, 0, ms) : jobOf('failover', 0, to, ms);
      }),
    disturbance,
    next,
  }),
  {freq: 3},
);

/** The first primary lives on, cut off from the operators and from the wanted target, with its clients and the other standbys. */
const livesOn: fc.Arbitrary<readonly WorldEvent[]> = fc.boolean().map((withHost) => {
  const cuts: What[] = [
    {kind: 'cut', from: 0, to: 'operators'},
    {kind: 'cut', from: 0, to: 1},
    ...(withHost ? [{kind: 'cut', from: 'host:0', to: 'operators'} as const] : []),
  ];
  return cuts.map((what) => ({at: TROUBLE_MS, what}));
});

type Plot = {readonly events: readonly WorldEvent[]; readonly commands: readonly Command[]};
const command = (at: number, dir: number, job: Job, sleep: Disturbance | null): Command => ({at, dir, job, disturbance: sleep, next: null});
const failover = (to: number): Job => jobOf('failover', 0, to, 0);

/** Asleep right before it promotes, for long; a hand lets a standby follow the first primary again. */
const asleep: fc.Arbitrary<Plot> = fc
  .tuple(livesOn, startAt, fc.integer({min: 1500, max: 4000}), fc.constantFrom('promote', 'clock + left'))
  .map(([events, at, ms, label]) => {
    const meantime: Disturbance = {at: {kind: 'send', count: null, label}, act: 'sleep', ms, meanwhile: [{kind: 'reattach', member: 2}]};
    return {events, commands: [command(at, 0, failover(1), meantime)]};
  });

/** One run in two hands at a time: while its process is about to promote, somebody takes it back, or up. */
const twoHands: fc.Arbitrary<Plot> = fc
  .tuple(
    livesOn,
    startAt,
    fc.oneof(fc.integer({min: 20, max: 70}), fc.integer({min: 1, max: 700})),
    fc.constantFrom('undo', 'undo', 'resume'),
    fc.constantFrom('result fence', 'step-started promote', 'intent promote'),
  )
  .map(([events, at, ms, kind, label]) => {
    const meantime: Disturbance = {at: {kind: 'append', count: null, label}, act: 'sleep', ms, meanwhile: [{kind: 'command', command: 1}]};
    return {events, commands: [command(at, 0, failover(1), meantime), command(-1, 0, {kind: kind as 'undo', guardMs: 0}, null)]};
  });

/** Two operators who know nothing of each other want different targets at about the same time. */
const twoMinds: fc.Arbitrary<Plot> = fc
  .tuple(livesOn, startAt, fc.integer({min: -300, max: 900}), fc.constantFrom(1, 2), disturbance, next)
  .map(([events, at, after, to, sleep, then]) => {
    return {
      events,
      commands: [
        {...command(at, 0, failover(to), sleep), next: then},
        command(Math.max(TROUBLE_MS, at + after), 1, failover(3 - to), null),
      ],
    };
  });

/** Somebody takes the store over while another acts on it, or sleeps, or has just promoted; or gives up in the middle of it. */
const takenOver: fc.Arbitrary<Plot> = fc
  .tuple(
    fc.oneof(livesOn, trouble),
    startAt,
    fc.integer({min: 0, max: 1200}),
    fc.constantFrom(1, 2),
    fc.record({
      at: point,
      act: fc.constant('sleep'),
      ms: fc.integer({min: 20, max: 4000}),
      meanwhile: fc.constantFrom<What[]>([], [{kind: 'command', command: 1}]),
    }) as fc.Arbitrary<Disturbance>,
    fc.boolean(),
    disturbance,
    next,
  )
  .map(([events, at, after, to, sleep, sleeps, more, then]) => ({
    events,
    commands: [
      {...command(at, 0, failover(1), sleeps ? sleep : null), next: then},
      command(sleeps && sleep.meanwhile.length > 0 ? -1 : at + after, 1, jobOf('failover', 0, to, 0, true), more),
    ],
  }));

/** Asleep while it lets the standbys go back to the first primary; somebody takes the store over meanwhile, and promotes. */
const takenBack: fc.Arbitrary<Plot> = fc
  .tuple(livesOn, startAt, fc.constantFrom('result seal', 'result fence', 'step-started promote'), fc.integer({min: 1500, max: 4000}))
  .map(([events, at, label, ms]) => {
    const killed: Disturbance = {at: {kind: 'append', count: null, label}, act: 'kill', ms: 0, meanwhile: []};
    const back = {kind: 'send', count: null, label: "alter system primary_conninfo = 'us-east'"} as const;
    const sleep: Disturbance = {at: back, act: 'sleep', ms, meanwhile: [{kind: 'command', command: 2}]};
    return {
      events,
      commands: [
        command(at, 0, failover(1), killed),
        command(at + 3000, 0, {kind: 'undo', guardMs: 0}, sleep),
        command(-1, 1, jobOf('failover', 0, 2, 0, true), null),
      ],
    };
  });

const byChance: fc.Arbitrary<Plot> = fc
  .record({trouble, noise, first, second})
  .map(({trouble: loss, noise: more, first: one, second: other}) => ({
    events: [...loss, ...more],
    commands: other === null ? [one] : [one, other],
  }));

/** Histories, biased towards what is dangerous. The same ones are for the real engine and for those that lack a guard. */
export const histories: fc.Arbitrary<History> = fc
  .record({
    setup,
    plot: fc.oneof(
      {weight: 7, arbitrary: byChance},
      {weight: 1, arbitrary: asleep},
      {weight: 2, arbitrary: twoHands},
      {weight: 1, arbitrary: twoMinds},
      {weight: 1, arbitrary: takenOver},
      {weight: 1, arbitrary: takenBack},
    ),
  })
  .map(({setup: fleet, plot}) => ({setup: fleet, ...plot}));
