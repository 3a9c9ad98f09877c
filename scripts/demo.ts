// The main job in under 90 seconds: a three-region lab comes up, its primary region is lost under load, regionctl fails over, measures, fails
// back, proves all regions equal, and takes the lab down. Every line is a command that a person could type.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const root = join(import.meta.dirname, '..');
const regionctl = join(root, 'bin/regionctl');
const folder = mkdtempSync(join(tmpdir(), 'regionctl-demo-'));
const lab = join(folder, 'lab');
// It outlives the demo, so it is not in the folder that is removed.
const report = join(mkdtempSync(join(tmpdir(), 'regionctl-report-')), 'region-lost.html');
const env = {...process.env, REGIONCTL_FLEET: join(lab, 'regionctl.yaml')};
const started = Date.now();

type Scene = {readonly says: string; readonly args: readonly string[]};

const SCENES: readonly Scene[] = [
  {says: 'Three regions, each a real PostgreSQL 18 and a service, with a front door.', args: ['lab', 'up', '--dir', lab]},
  {says: 'Is everything well?', args: ['health', 'check']},
  {says: 'How far are the standbys behind?', args: ['replication', 'lag']},
  {
    says: 'Lose the primary region: cut off and killed. Detect, fence, promote, reroute, verify, measure, and report.',
    args: ['drill', 'run', join(root, 'examples/drills/region-lost.yaml'), '--yes', '--report', report],
  },
  {
    says: 'The region is back. Rebuild it, let it catch up, switch over without loss, and compare all rows in all regions.',
    args: ['failback', 'run', '--yes'],
  },
  {says: 'And now?', args: ['status']},
];

process.exitCode = play();

function play(): number {
  if (spawnSync('npm', ['run', '--silent', 'build'], {cwd: root, stdio: 'inherit'}).status !== 0) return 1;
  try {
    for (const scene of SCENES) {
      const code = run(scene);
      if (code !== 0) {
        console.error(`\nThe demo stopped: regionctl ${scene.args.join(' ')} exited with ${code}.`);
        return 1;
      }
    }
    return 0;
  } finally {
    run({says: 'Take the lab down: no process and no file stays.', args: ['lab', 'down', '--dir', lab]});
    rmSync(folder, {recursive: true, force: true});
    console.log(`\nThe demo took ${((Date.now() - started) / 1000).toFixed(1)} s.`);
    if (existsSync(report)) console.log(`The drill's report, to open in a browser: ${report}`);
  }
}

function run({says, args}: Scene): number {
  console.log(`\n# ${says}\n$ regionctl ${args.map((arg) => (arg.startsWith(root) ? arg.slice(root.length + 1) : arg)).join(' ')}`);
  return spawnSync(regionctl, args, {cwd: folder, env, stdio: 'inherit'}).status ?? 1;
}
