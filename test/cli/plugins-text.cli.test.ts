import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {PortPicker} from '../../src/lab/ports.ts';
import {type Block, blocksOf} from './doc-blocks.ts';
import {PluginHome} from './plugin-home.ts';
import {personalEnv, ROOT} from './program.ts';

/*
 * docs/plugins.md as a reader follows it: files are written as they stand there, and every line of its shell blocks is run, in one shell, in
 * the order of the text. Only the ports and the folder beside the clone are others.
 */
const NAME = 'regionctl-plugin-smtp';
const TEXT = readFileSync(join(ROOT, 'docs/plugins.md'), 'utf8');
const INSTALLED = join(ROOT, 'node_modules/.package-lock.json');

/** A line of a shell block: with what it ends, by the text, and what the text shows after its block. */
type Step = {readonly command: string; readonly exit: number};
type Ran = {readonly exit: number; readonly output: string};

const blocks = blocksOf(TEXT);
const stepsOf = ({text}: Block): readonly Step[] =>
  text
    .trim()
    .split('\n')
    .map((line) => ({command: line, exit: Number(/# exit code (\d+)$/u.exec(line)?.[1] ?? 0)}));
const shellBlocks = blocks.filter(({language}) => language === 'sh');
const steps = shellBlocks.flatMap(stepsOf);

const home = new PluginHome();
const ran = new Map<Step, Ran>();
const extra: Record<'wrongPort', Ran> = {wrongPort: {exit: -1, output: ''}};
let ports: readonly number[] = [];
let installedBefore = 0;

beforeAll(async () => {
  installedBefore = statSync(INSTALLED).mtimeMs;
  const picker = new PortPicker();
  ports = [await picker.free(), await picker.free()];
  const results = await runInOneShell(scriptOf());
  for (const [index, step] of steps.entries()) ran.set(step, results(`${index}`));
  extra.wrongPort = results('wrongPort');
});
afterAll(() => home.remove());

const elsewhere = (text: string) =>
  text.replaceAll(`../${NAME}`, join(home.dir, NAME)).replaceAll('2525', `${ports[0]}`).replaceAll('2526', `${ports[1]}`);

function scriptOf(): string {
  const lines = [`trap 'kill $(jobs -p) 2>/dev/null' EXIT`, `cd '${ROOT}'`];
  for (const block of blocks) {
    if (block.file !== null) lines.push(fileLine(block.file, elsewhere(block.text)));
    else if (block.language === 'sh')
      for (const step of stepsOf(block)) {
        const index = steps.findIndex(({command}) => command === step.command);
        lines.push(kept(`${index}`, elsewhere(step.command)));
        if (step.command.endsWith('&'))
          lines.push(`until (exec 3<>/dev/tcp/127.0.0.1/${portIn(step.command)}) 2>/dev/null; do sleep 0.05; done`);
        if (step.command.startsWith('regionctl health check'))
          lines.push(
            kept(
              'wrongPort',
              `sed 's/port: ${ports[0]}/port: mail/' regionctl.yaml >wrong.yaml; regionctl health check --fleet wrong.yaml`,
            ),
          );
      }
  }
  return `${lines.join('\n')}\n`;
}

const portIn = (command: string) => /\d{4,5}/u.exec(elsewhere(command))?.[0];

/** Files are written where the shell is when the text comes to them. */
function fileLine(file: string, text: string): string {
  const source = join(home.dir, 'text', file);
  mkdirSync(dirname(source), {recursive: true});
  writeFileSync(source, text);
  return `mkdir -p '${dirname(file)}' && cp '${source}' '${file}'`;
}

const kept = (name: string, command: string) =>
  `{ ${command}\n} >'${home.dir}/${name}.out' 2>&1 </dev/null; echo $? >'${home.dir}/${name}.exit'`;

async function runInOneShell(script: string): Promise<(name: string) => Ran> {
  const file = join(home.dir, 'text.sh');
  writeFileSync(file, script);
  const env = personalEnv({...home.env, npm_config_update_notifier: 'false'});
  const child = spawn('bash', [file], {env, detached: true, stdio: 'ignore'});
  const deadline = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 100_000);
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(deadline);
  const read = (name: string) => readFileSync(join(home.dir, name), 'utf8');
  return (name) => ({exit: Number(read(`${name}.exit`)), output: read(`${name}.out`)});
}

/** What may be another in each run: times, ports, folders, and the width of columns. */
const alike = (text: string) =>
  text
    .replaceAll(/\S*\/regionctl-plugin-smtp\b/gu, '/…')
    .replaceAll(/\d[\d:.-]*/gu, '#')
    .replaceAll(/[ \t]+/gu, ' ')
    .replaceAll('# s', '# ms')
    .trim();

describe('docs/plugins.md', () => {
  it('has no block that is neither a file, nor run, nor shown', () => {
    expect(blocks.length).toBe(TEXT.match(/^```\w+$/gmu)?.length);
    for (const [index, {language, file, line}] of blocks.entries()) {
      if (language === 'text') expect(blocks[index - 1]?.language, `line ${line}`).toBe('sh');
      else expect(file === null, `line ${line}`).toBe(language === 'sh');
    }
    expect(new Set(steps.map(({command}) => command)).size, 'each line is there once').toBe(steps.length);
  });

  it.each(steps.map((step) => [step.command, step] as const))('%s', (_, step) => {
    const result = ran.get(step);
    expect(result?.exit, result?.output).toBe(step.exit);
  });

  it.each(shellBlocks.map((block) => [`line ${block.line}`, block] as const).filter(([, block]) => shownAfter(block) !== undefined))(
    'shows what is printed: %s',
    (_, block) => {
      const printed = stepsOf(block).map(({command}) => [...ran].find(([step]) => step.command === command)?.[1].output ?? '');
      expect(alike(printed.join(''))).toBe(alike(shownAfter(block) ?? ''));
    },
  );

  it('its tests are the contract, and one of its own', () => {
    const {output} = [...ran].find(([{command}]) => command === 'npm test')?.[1] ?? {output: ''};
    expect(output).toContain('fails by its own deadline for what never answers');
    expect(output).toMatch(/\bpass 10\n/u);
    expect(output).toMatch(/\bfail 0\n/u);
  });

  it('its tests can be run again: linking keeps what they need', () => {
    expect(existsSync(join(home.dir, NAME, 'node_modules/regionctl/package.json'))).toBe(true);
  });

  it('the installed plugin gives a document', () => {
    const {output} = [...ran].find(([{command}]) => command.startsWith('regionctl smtp banner --json'))?.[1] ?? {output: ''};
    expect(JSON.parse(output)).toEqual({
      servers: [
        {region: 'us-east', endpoint: 'relay', ok: true, detail: `127.0.0.1:${ports[0]} says 220 mail.example ESMTP`},
        {region: 'eu-west', endpoint: 'relay', ok: false, detail: `127.0.0.1:${ports[1]} does not offer STARTTLS`},
      ],
    });
  });

  it('its schema says file, line and field of what is wrong', () => {
    expect(extra.wrongPort.exit, extra.wrongPort.output).toBe(78);
    expect(extra.wrongPort.output).toMatch(/wrong\.yaml:7:\d+/u);
    expect(extra.wrongPort.output).toContain('port');
  });

  it('leaves the packages of the host as they were', () => {
    expect(statSync(INSTALLED).mtimeMs).toBe(installedBefore);
  });
});

function shownAfter(block: Block): string | undefined {
  const next = blocks[blocks.indexOf(block) + 1];
  return next?.language === 'text' ? next.text : undefined;
}
