import {appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {builtCommands} from '../cli/manifest.ts';
import {type Ended, ended, personalEnv, shown} from '../cli/program.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** What installs the program itself needs the network, and is what these tests stand in for with the built one. */
const INSTALL = 'npm install --global regionctl';
const REPORTS = ['drill.xml', 'drill.html'];

type GithubStep = {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Record<string, unknown>;
};
type GithubJob = {readonly steps: readonly GithubStep[]; readonly 'timeout-minutes': number};
type GitlabJob = Readonly<Record<'before_script' | 'script' | 'after_script', readonly string[] | undefined>> & {
  readonly artifacts?: {readonly when: string; readonly paths: readonly string[]; readonly reports: {readonly junit: string}};
};
const read = (name: string): unknown => parse(readFileSync(join(ROOT, 'examples/ci', name), 'utf8'));
const github = (read('github-actions.yml') as {jobs: Record<string, GithubJob>}).jobs;
const gitlab = read('gitlab-ci.yml') as Record<string, GitlabJob>;

/** What the steps of a job run, in order; what installs is left out. */
const githubLines = (job: string) =>
  (github[job]?.steps ?? []).flatMap(({run}) => (run === undefined ? [] : [run])).filter((run) => run !== INSTALL);
const gitlabLines = (job: string) => {
  const {before_script: before = [], script = [], after_script: after = []} = gitlab[job] ?? {};
  return [...before, ...script, ...after].filter((line) => line !== INSTALL);
};
const lineOf = (job: string, name: string) => {
  const run = github[job]?.steps.find((step) => step.name === name)?.run;
  if (run === undefined) throw new Error(`examples/ci/github-actions.yml: the job ${job} has no step "${name}"`);
  return run;
};

describe('the two examples', () => {
  it('have the same jobs and run the same commands, so that what is run here is both', () => {
    expect(Object.keys(gitlab)).toEqual(Object.keys(github));
    for (const job of Object.keys(github)) expect(gitlabLines(job)).toEqual(githubLines(job));
    expect(githubLines('lab').length).toBeGreaterThan(2);
  });

  it('name no command and no flag that the program does not have', () => {
    const commands = builtCommands();
    for (const line of Object.keys(github).flatMap(githubLines)) {
      const [program, ...words] = line.split(' ');
      const command = commands.find(({id}) => words.join(' ').startsWith(id));
      expect(program, line).toBe('regionctl');
      expect(command, line).toBeDefined();
      // The flags of the report are there when drill run has them: see below.
      for (const flag of words.filter((word) => word.startsWith('--')))
        if (flag !== '--junit' && flag !== '--report') expect(Object.keys(command?.flags ?? {}), line).toContain(flag.slice(2));
    }
  });

  it('keep both reports and stop the lab, also when a drill fails', () => {
    for (const job of ['lab', 'monthly']) {
      const keep = github[job]?.steps.find(({uses}) => uses?.startsWith('actions/upload-artifact@'));
      expect(keep).toMatchObject({if: 'always()'});
      expect(String(keep?.with?.path).trim().split('\n')).toEqual(REPORTS);
      expect(gitlab[job]?.artifacts).toMatchObject({when: 'always', paths: REPORTS, reports: {junit: 'drill.xml'}});
      expect(lineOf(job, 'Drill')).toMatch(/ --yes --junit drill\.xml --report drill\.html$/u);
    }
    expect(github.lab?.steps.find(({name}) => name === 'Stop the lab')).toMatchObject({if: 'always()'});
    expect(gitlab.lab?.after_script).toEqual([lineOf('lab', 'Stop the lab')]);
  });
});

describe('run as shell', () => {
  let parent: string;
  let lab: string;

  /** One step as a CI runs it: a script of its own for bash -e, in a clean environment, with the built program on the PATH. */
  async function run(line: string, cwd: string = parent): Promise<Ended> {
    const script = join(parent, 'step.sh');
    writeFileSync(script, `${line}\n`);
    const env = personalEnv({CI: 'true', PATH: `${join(ROOT, 'bin')}:${process.env.PATH}`, XDG_DATA_HOME: join(parent, 'data')});
    return ended('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {cwd, env, timeout: 110_000});
  }
  const runs = async (line: string, cwd?: string) => {
    const result = await run(line, cwd);
    expect(result.status, `${line}\n${shown(result)}`).toBe(0);
    return result;
  };

  beforeAll(async () => {
    parent = mkdtempSync(join(tmpdir(), 'regionctl-ci-'));
    lab = join(parent, 'lab');
    await runs(lineOf('lab', 'Start a lab'));
    // The lab stands for the fleet of the scheduled jobs: their folder is that of its fleet file.
    appendFileSync(join(lab, 'regionctl.yaml'), 'drills: {calendar: {region-lost: {every: month}}, readiness: {}}\n');
  });
  afterAll(async () => {
    await run(lineOf('lab', 'Stop the lab'));
    rmSync(parent, {recursive: true, force: true});
  });

  it('each Monday: what was never done is owed, and ends the job', async () => {
    await runs(lineOf('weekly', 'Ready'), lab);
    const due = await run(lineOf('weekly', 'What is owed'), lab);
    expect(due, shown(due)).toMatchObject({status: 1, stdout: expect.stringMatching(/^lab: never passed: region-lost\n/u)});
  });

  it('each month: the drill passes, the region comes back, nothing is owed, and both reports are there', async () => {
    for (const line of githubLines('monthly')) await runs(line, lab);
    expect(readFileSync(join(lab, 'drill.xml'), 'utf8')).toMatch(/^<\?xml [\s\S]*<testsuites? [\s\S]* failures="0"/u);
    expect(readFileSync(join(lab, 'drill.html'), 'utf8')).toMatch(/^<!doctype html>/iu);
    const due = await runs(lineOf('weekly', 'What is owed'), lab);
    expect(due.stdout).toMatch(/^lab: nothing is owed\n/u);
  });

  it('with each push: a drill that misses its objective ends the job with 1, leaves both reports, and the lab stops', async () => {
    // The drill of one's own, beside the fleet file, is nearer than the program's of the same name.
    mkdirSync(join(lab, 'drills'));
    const shipped = readFileSync(join(ROOT, 'examples/drills/region-lost.yaml'), 'utf8');
    writeFileSync(join(lab, 'drills/region-lost.yaml'), `${shipped}\nobjectives: {rto: 1ms}\n`);
    const drill = await run(lineOf('lab', 'Drill'));
    expect(drill.status, shown(drill)).toBe(1);
    for (const name of REPORTS) expect(existsSync(join(parent, name)), name).toBe(true);
    expect(readFileSync(join(parent, 'drill.xml'), 'utf8')).toMatch(/ failures="[1-9]/u);
    await runs(lineOf('lab', 'Stop the lab'));
    expect(existsSync(join(lab, 'lab.json'))).toBe(false);
  });
});
