// Checks, builds and tests everything; prints the counts of all suites as its last line. Exits with 1 when anything failed.
import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';

type Counts = {passed: number; failed: number; skipped: number};
type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  success: boolean;
  testResults: readonly FileResult[];
};
type FileResult = {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly {status: string; fullName: string; failureMessages?: readonly string[]}[];
};

/** Most of what these tests do is wait: for servers, for leases, for time to pass. Whole labs (e2e) do not bear a third beside them: more of them may try a port that one of them is to get back. */
const WAITING = ['unit', 'embedded', 'cli', 'servers'];

const root = join(import.meta.dirname, '..');
const counts: Counts = {passed: 0, failed: 0, skipped: 0};
const skippedNames: string[] = [];
const failures: string[] = [];

for (const [name, command] of [
  ['check', 'check'],
  ['build', 'build'],
] as const) {
  console.log(`\n== ${name}`);
  if (spawnSync('npm', ['run', '--silent', command], {cwd: root, stdio: 'inherit'}).status === 0) continue;
  console.error(`${name} failed`);
  counts.failed += 1;
}
if (counts.failed === 0)
  for (const project of ['unit', 'embedded', 'e2e', 'e2e-alone', 'cli', 'cli-alone', 'servers', 'servers-alone']) runProject(project);
if (skippedNames.length > 0) console.log(`\nSkipped:\n${skippedNames.map((name) => `  ${name}`).join('\n')}`);
// Once more, at the end: whoever reads only the tail of a long log must see what failed.
if (failures.length > 0) console.log(`\nFailed:\n${failures.join('\n')}`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;

function runProject(project: string): void {
  console.log(`\n== test: ${project}`);
  const file = join(root, `.verify/${project}.json`);
  rmSync(file, {force: true});
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const {status} = spawnSync(
    process.execPath,
    [
      ...[vitest, 'run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, '--passWithNoTests'],
      ...(WAITING.includes(project) ? ['--maxWorkers=3'] : []),
    ],
    {cwd: root, stdio: 'inherit'},
  );
  if (!existsSync(file)) {
    if (status !== 0) counts.failed += 1;
    return;
  }
  add(JSON.parse(readFileSync(file, 'utf8')) as Report, status ?? 1);
}

function add(report: Report, status: number): void {
  counts.passed += report.numPassedTests;
  counts.failed += report.numFailedTests;
  counts.skipped += report.numPendingTests + report.numTodoTests;
  // A file that could not be loaded, or an error outside of any test, has no failed test of its own.
  if (report.numFailedTests === 0 && status !== 0) counts.failed += 1;
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.message !== '') failures.push(`  ${file.name}: ${shortened(file.message)}`);
    for (const test of file.assertionResults) {
      if (test.status === 'failed')
        failures.push(`  ${file.name}: ${test.fullName}: ${shortened((test.failureMessages ?? []).join('; '))}`);
    }
  }
  for (const test of report.testResults.flatMap((result) => result.assertionResults)) {
    if (test.status === 'pending' || test.status === 'skipped' || test.status === 'todo') skippedNames.push(test.fullName);
  }
}

/** The first lines of a message: what was expected and where, without the whole stack. */
function shortened(message: string): string {
  return message.split('\n').slice(0, 12).join('\n    ').slice(0, 1500);
}
