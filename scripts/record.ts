// Makes the pictures of the docs: runs the drill on a lab in a real pseudo-terminal and keeps one frame of its live view as an SVG.
// Needs `script` of util-linux. Usage: node scripts/record.ts
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {ansiToSvg} from './ansi-svg.ts';

const COLUMNS = 100;
const ROWS = 32;
const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'regionctl-picture-'));
const lab = join(folder, 'lab');
const capture = join(folder, 'capture');
const {CI: _ci, NO_COLOR: _plain, ...inherited} = process.env; // either would take the colours away
const env = {...inherited, REGIONCTL_FLEET: join(lab, 'regionctl.yaml'), TERM: 'xterm-256color'};
const regionctl = join(root, 'bin/regionctl');

try {
  execFileSync(regionctl, ['lab', 'up', '--dir', lab], {stdio: 'ignore'});
  const command = `stty cols ${COLUMNS} rows ${ROWS}; ${regionctl} drill run ${join(root, 'examples/drills/region-lost.yaml')} --yes`;
  execFileSync('script', ['-qec', command, capture], {env, stdio: 'ignore'});
  // The report below the live view is text that the docs show as text.
  const [live = ''] = readFileSync(capture, 'utf8').split('\u001B[1mdrill us-east');
  const svg = ansiToSvg(live, {
    title: 'regionctl drill run examples/drills/region-lost.yaml',
    columns: COLUMNS,
    until: ' lost',
  });
  writeFileSync(join(root, 'docs/img/drill.svg'), svg);
} finally {
  execFileSync(regionctl, ['lab', 'down', '--dir', lab], {stdio: 'ignore'});
  rmSync(folder, {recursive: true, force: true});
}
