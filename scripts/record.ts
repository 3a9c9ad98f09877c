// Makes the pictures of the docs: runs the drill on a lab in a real pseudo-terminal, with a dashboard in others, and keeps single frames as SVG.
// Needs `script` of util-linux. Usage: node scripts/record.ts
import {execFile, execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {promisify} from 'node:util';
import {ansiToSvg, type PictureOptions} from './ansi-svg.ts';
import {screenOf} from './screen.ts';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'regionctl-picture-'));
const lab = join(folder, 'lab');
const {CI: _ci, NO_COLOR: _plain, ...inherited} = process.env; // either would take the colours away
const env = {...inherited, REGIONCTL_FLEET: join(lab, 'regionctl.yaml'), TERM: 'xterm-256color'};
const regionctl = join(root, 'bin/regionctl');

/** A command in a terminal of that size. Answers with all that it wrote. */
async function captured(name: string, [columns, rows]: readonly [number, number], command: string): Promise<string> {
  const file = join(folder, name);
  await promisify(execFile)('script', ['-qec', `stty cols ${columns} rows ${rows}; ${regionctl} ${command}`, file], {
    env,
    maxBuffer: 1e9,
  }).catch(() => null);
  return readFileSync(file, 'utf8');
}

/** `until`: what the last frame that is wanted shows. */
function keep(name: string, text: string, options: PictureOptions & {readonly until: string}): void {
  const shown = screenOf(text, options.until)
    .map((runs) => runs.map((run) => run.text).join(' '))
    .join('\n');
  if (!shown.replaceAll(/ +/g, ' ').includes(options.until.replaceAll(/ +/g, ' ')))
    throw new Error(`${name}: no frame shows ${options.until}`);
  writeFileSync(join(root, 'docs/img', `${name}.svg`), ansiToSvg(text, options));
}

try {
  execFileSync(regionctl, ['lab', 'up', '--dir', lab], {stdio: 'ignore'});
  // Its regions are judged, and the links have been looked at for a while.
  const title = 'regionctl dashboard';
  keep('dashboard-80', await captured('small', [80, 24], 'dashboard --for 15s'), {title, columns: 80, until: 'q quit'});
  const dashboard = (name: string, columns: number, rows: number) => captured(name, [columns, rows], 'dashboard --for 30s');
  const [middle, wide, live] = await Promise.all([
    dashboard('middle', 120, 40),
    dashboard('wide', 170, 46),
    sleep(5000).then(() => captured('drill', [100, 32], `drill run ${join(root, 'examples/drills/region-lost.yaml')} --yes`)),
  ]);
  const lost = {title, until: '▶ verify    stop the witness and read back what it wrote'};
  keep('dashboard', middle, {...lost, columns: 120});
  keep('dashboard-wide', wide, {...lost, columns: 170});
  // The report below the live view is text that the docs show as text.
  const [view = ''] = live.split('\u001B[1mdrill us-east');
  keep('drill', view, {title: 'regionctl drill run examples/drills/region-lost.yaml', columns: 100, until: ' lost'});
} finally {
  execFileSync(regionctl, ['lab', 'down', '--dir', lab], {stdio: 'ignore'});
  rmSync(folder, {recursive: true, force: true});
}
