import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {loadDrill, parseDrill, readDrill} from '../../src/lib/drill/drill-file.ts';
import {drillText, fleet, routedFleet} from './plans.ts';

const context = {file: '/drills/d.yaml', cwd: '/drills', fleet};

/** The message and the fix, as a reader gets them. */
function errorOf(text: string): string {
  try {
    parseDrill(text, context);
  } catch (error) {
    const {code, exit, message, suggestions} = error as {code: string; exit: number; message: string; suggestions: readonly string[]};
    expect([code, exit]).toEqual(['drill-invalid', 78]);
    return `${message} | ${suggestions.join(' ')}`;
  }
  return 'no error';
}

describe('a drill file', () => {
  it('needs little, and has defaults for the rest', () => {
    expect(parseDrill(drillText, context)).toEqual({
      file: '/drills/d.yaml',
      name: 'region-lost',
      description: '',
      scenario: 'region-lost',
      faults: [{kind: 'lose', region: 'primary', leaseMs: 600_000, args: {}}],
      heal: 'end',
      watchMs: 0,
      steadyState: {before: [{health: 'healthy'}, {writable: true}], after: [{health: 'healthy'}, {writable: true}], withinMs: 15_000},
      witness: {everyMs: 20, warmUpMs: 2000, coolDownMs: 2000, stores: true},
      load: null,
      reaction: {kind: 'failover', to: null, overrides: []},
      detect: {everyMs: 250, fall: 2, withinMs: 30_000, until: null},
      objectives: {rtoMs: null, rpoMs: null, services: {}, data: {}, load: []},
      abortIf: [],
      setUp: null,
      rollback: 'none',
      evidence: ['journal', 'witness', 'load', 'snapshots'],
    });
  });

  it('is shipped as an example that shows every field', () => {
    const text = readFileSync('examples/drills/region-lost.yaml', 'utf8');
    const {file: _, ...drill} = parseDrill(text, context);
    expect(drill).toMatchObject({
      name: 'region-lost',
      steadyState: {before: [{health: 'healthy'}, {writable: true}, {lagBelowMs: 30_000}]},
    });
    const shown = text
      .replace('fault:                            # or', 'fault: # or')
      .replaceAll(/^# (heal|watch|load|objectives|abortIf|rollback|evidence): (.*?)(\s+#.*| {3}or .*)?$/gm, '$1: $2')
      .replaceAll(/^(\s+)# (args|within|stores|until): (.*?)(\s+#.*)?$/gm, '$1$2: $3')
      .replaceAll(/^ {4}# - /gm, '    - ')
      .replace('failover: {}', 'failover:')
      .replaceAll(/^ {4}# (to|overrides): /gm, '    $1: ');
    const known = parseDrill(shown, context);
    expect(known).toMatchObject({
      heal: 'end',
      steadyState: {withinMs: 15_000},
      witness: {stores: true},
      load: {kind: 'built-in', path: '/orders?limit=1'},
      detect: {until: [{writable: false}]},
      objectives: {rtoMs: 30_000, rpoMs: 0},
      abortIf: [{noAckForMs: 300_000}],
      rollback: 'none',
      reaction: {kind: 'failover', to: 'eu-west', overrides: [{gate: 'loss:orders'}]},
    });
    expect(known.steadyState.before).toHaveLength(7);
  });

  it.each([
    ['', 'd.yaml:1:1: the file is empty | examples/drills/region-lost.yaml shows every field.'],
    ['- a\n', 'd.yaml:1:1: expected a mapping with "name" and "fault", got a list | examples/drills/region-lost.yaml shows every field.'],
    [`${drillText}withness: {}\n`, 'd.yaml:4:1 withness: unknown key "withness" | Did you mean "witness"?'],
    ['name: x\nscenario: region-lost\n', 'd.yaml:1:1 reaction: without a fault there is nothing to react to'],
    [`${drillText}detect: {every: 0s}\n`, 'd.yaml:4:17 detect.every: expected a duration longer than 0s'],
    [
      `${drillText}detect: {within: 30}\n`,
      'd.yaml:4:18 detect.within: expected a duration such as 250ms, 5s, 15m or 1h, got 30 | Write a whole number and a unit: ms, s, m or h. The longest is 576h.',
    ],
    [`${drillText}detect: {fall: 0}\n`, 'd.yaml:4:16 detect.fall: expected a number of at least 1, got 0 | Write a number of at least 1.'],
    [`${drillText}steadyState: {before: [{health: fine}]}\n`, 'd.yaml:4:33 steadyState.before[0].health: expected healthy, got "fine"'],
    [
      `${drillText}description: \${env:HOME}\n`,
      `d.yaml:4:14 description: references such as \${env:NAME} are not allowed in a drill | Write the value; secrets belong in the fleet file.`,
    ],
    [
      drillText.replace('kind: lose', 'kind: lose, region: us-eats'),
      'd.yaml:3:29 fault.region: the fleet lab has no region or route "us-eats" | Did you mean "us-east"?',
    ],
    [
      `${drillText}reaction: {failover: {to: mars}}\n`,
      'd.yaml:4:27 reaction.failover.to: the fleet lab has no region "mars" | It has us-east, eu-west, ap.',
    ],
    [`${drillText}witness: {every: 1ms}\n`, 'd.yaml:4:18 witness.every: expected 5ms to 10s: a faster witness could not keep its rate'],
    [`${drillText}witness: {every: 11s}\n`, 'Write a duration from 5ms to 10s; 20ms is the usual one.'],
    [
      `${drillText}abortIf: [{noAckFor: 1m}, {primary: unmoved}]\n`,
      'd.yaml:4:37 abortIf[1].primary: the primary is there when the drill begins: it would be aborted at once | To abort when the primary moves, name the regions that it must not come to: one check "primary: REGION" for each.',
    ],
    [`${drillText}abortIf: [{primary: primary}]\n`, 'd.yaml:4:21 abortIf[0].primary: the primary is there when the drill begins'],
    [`${drillText}abortIf: [{primary: mars}]\n`, 'd.yaml:4:21 abortIf[0].primary: the fleet lab has no region "mars"'],
    [
      `${drillText}reaction: {person: {prompts: [move it]}}\n`,
      'd.yaml:4:12 reaction.person.until: is missing; clients may be able to write all along, and then the person would be done at once | Write what tells that it is done and does not hold before, such as until: [{primary: REGION}, {writable: true}].',
    ],
    [`${drillText}load: {path: //elsewhere.example.com/}\n`, 'd.yaml:4:14 load.path: a path begins with one /'],
    [`${drillText}load: {body: x}\n`, 'd.yaml:4:14 load.body: a GET has no body: write method: POST'],
    [`${drillText}load: {rate: 500, deadline: 5s}\n`, 'd.yaml:4:7 load: rate times deadline is more than 2000 requests under way at once'],
    [`${drillText}load: {deadline: 2m}\n`, 'd.yaml:4:18 load.deadline: expected at most 60s'],
    [`${drillText}load: {url: "ftp://x"}\n`, 'load.url: expected a URL that begins with http:// or https://'],
    [`${drillText}fault: &a [*a]\n`, 'd.yaml:4:1: duplicate key "fault"'],
    [
      `a: &a [1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c]\n`,
      'd.yaml:1:1: too many aliases: at most 50 | Write the file with less nesting and fewer aliases.',
    ],
    [`${drillText}"a\\e[31m": 1\n`, 'd.yaml:4:1 "a\\u001b[31m": unknown key "a\\u001b[31m"'],
    [`${drillText}name: twice\n`, 'd.yaml:4:1: duplicate key "name" | Keep one of the two.'],
    [`${drillText}x: [\n`, 'd.yaml:5:1: not valid YAML'],
  ])('says where %j is wrong, and what to do', (text, wanted) => {
    expect(errorOf(text)).toContain(wanted);
  });

  it('waits for a person until clients can write again where it was noticed by that they could not', () => {
    const person = 'reaction: {person: {prompts: [mend it]}}\n';
    const refused = `${drillText}detect: {until: [{writable: false}]}\n${person}`;
    const door = 'name: door\nfault: {kind: router, region: front-door}\n';
    for (const text of [refused, `${door}${person}`])
      expect(parseDrill(text, {...context, fleet: routedFleet}).reaction).toMatchObject({kind: 'person', until: [{writable: true}]});
    const noticed = `${door}detect: {until: [{health: healthy}]}\n${person}`;
    expect(() => parseDrill(noticed, {...context, fleet: routedFleet})).toThrow('d.yaml:4:12 reaction.person.until: is missing');
    const named = parseDrill(`${drillText}reaction: {person: {prompts: [move it], until: [{primary: eu-west}]}}\n`, context);
    expect(named.reaction).toMatchObject({kind: 'person', until: [{primary: 'eu-west', store: null}]});
  });

  it('aborts when the primary comes to a region that it names', () => {
    expect(parseDrill(`${drillText}abortIf: [{primary: ap}]\n`, context).abortIf).toEqual([{primary: 'ap', store: null}]);
  });

  it('has no more writes of its witness under way than the load may have requests', () => {
    const slow = {...fleet, witness: {url: 'http://x/', everyMs: 20, deadlineMs: 60_000, stores: []}};
    expect(() => parseDrill(`${drillText}witness: {every: 20ms}\n`, {...context, fleet: slow})).toThrow(
      'd.yaml:4:18 witness.every: one write every 20 ms, each with the deadline of 1 min of the fleet file, is more than 2000 under way at once',
    );
  });

  it('of more than 1 MiB is not read to its end, and one that is no text is said to be none', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'regionctl-drill-file-'));
    onTestFinished(() => rmSync(dir, {recursive: true}));
    const file = join(dir, 'd.yaml');
    const refusal = (name = file) => loadDrill({...context, file: name, cwd: dir}).catch((error: unknown) => error);
    writeFileSync(file, `${drillText}# ${'x'.repeat(1024 * 1024)}`);
    expect(await refusal()).toMatchObject({exit: 78, message: 'd.yaml:1:1: more than 1048576 bytes, which are too many for a drill file'});
    expect(await refusal('/dev/zero')).toMatchObject({exit: 78, message: expect.stringContaining('too many for a drill file')});
    writeFileSync(file, Buffer.from([0x6e, 0xff, 0xfe]));
    expect(await refusal()).toMatchObject({exit: 78, message: 'd.yaml:1:1: not UTF-8 text', suggestions: ['Save the file as UTF-8.']});
    expect(await refusal(dir)).toMatchObject({exit: 64});
  });

  it('with many keys and many mistakes is told of in a moment', () => {
    const keys = Array.from({length: 20_000}, (_, index) => `k${index}: 1\n`).join('');
    const began = performance.now();
    expect(readDrill(`${drillText}${keys}`, context).problems).toHaveLength(20_000);
    // Each key compared with each other one took 13 s.
    expect(performance.now() - began).toBeLessThan(6000);
  });

  it('that is not there is a usage error', async () => {
    await expect(loadDrill({...context, file: '/nowhere/d.yaml'})).rejects.toMatchObject({code: 'usage', exit: 64});
  });
});
