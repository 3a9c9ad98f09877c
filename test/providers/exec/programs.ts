import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** A folder of node programs for one test: each is run as `[node, file]`. */
export type Programs = {
  readonly dir: string;
  /** Writes a program, and answers how it is run. */
  node(name: string, source: string, ...args: readonly string[]): readonly string[];
  /** The same for a shell script: one that is up at once. */
  sh(name: string, source: string): readonly string[];
  /** What a program has written into a file of the folder; null = there is no such file. */
  file(name: string): string | null;
  /** The pid that a program wrote into the file, as soon as it is there. */
  pid(name: string): Promise<number>;
  remove(): void;
};

export function programs(): Programs {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-test-'));
  const file = (name: string): string | null => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : null);
  return {
    dir,
    file,
    node: (name, source, ...args) => {
      writeFileSync(join(dir, `${name}.mjs`), source);
      return [process.execPath, join(dir, `${name}.mjs`), ...args];
    },
    sh: (name, source) => {
      writeFileSync(join(dir, `${name}.sh`), source);
      return ['/bin/sh', join(dir, `${name}.sh`)];
    },
    pid: async (name) => Number(await until(() => file(name)?.trim())),
    remove: () => rmSync(dir, {recursive: true, force: true}),
  };
}

/** Asks until `look` answers something truthy; throws after ten seconds. */
export async function until<T>(look: () => T): Promise<NonNullable<T>> {
  const end = performance.now() + 10_000;
  for (;;) {
    const seen = look();
    if (seen) return seen;
    if (performance.now() > end) throw new Error(`still ${String(seen)} after 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether a process is there and no zombie. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '';
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}
