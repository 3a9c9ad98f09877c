import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {cpus} from 'node:os';
import {join} from 'node:path';
import {ROOT} from './lab.ts';

/** One figure with its limit. */
type Line = {
  readonly what: string;
  readonly limit: string;
  readonly measured: number;
  readonly unit: string;
  readonly met: boolean;
  readonly detail: unknown;
};

/** The figures of one run of a bench: printed as they come, kept with the commit. */
export type Report = {
  add(what: string, limit: string, measured: number, unit: string, met: boolean, detail: unknown): void;
  /** Writes bench/results/NAME.json and sets the exit code: 1 when a limit was missed. */
  keep(): void;
};

export function createReport(name: string): Report {
  const lines: Line[] = [];
  return {
    add: (what, limit, exact, unit, met, detail) => {
      const measured = Math.round(exact * 100) / 100;
      lines.push({what, limit, measured, unit, met, detail});
      console.log(`${met ? 'met   ' : 'MISSED'}  ${what}: ${measured} ${unit} (${limit})`);
    },
    keep: () => {
      const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {cwd: ROOT, encoding: 'utf8'}).trim();
      const machine = {cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', platform: process.platform, node: process.version};
      const file = `bench/results/${name}.json`;
      writeFileSync(join(ROOT, file), `${JSON.stringify({commit, at: new Date().toISOString(), machine, lines}, null, 2)}\n`);
      console.log(`Kept in ${file}`);
      process.exitCode = lines.every(({met}) => met) ? 0 : 1;
    },
  };
}
