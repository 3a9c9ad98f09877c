import {spawn} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {request} from 'node:http';
import {join} from 'node:path';
import {type Programs, until} from '../exec/programs.ts';

/** A server with a child, which writes its pid into a file. `start` starts it and comes back. */
export type Victim = {
  readonly pidFile: string;
  readonly start: readonly string[];
  /** Starts it, and waits until it answers. */
  up(): Promise<void>;
  /** Whether it answers, asked as a client would. */
  answers(): Promise<boolean>;
  /** Waits until it does, for some seconds at most. */
  becomesWell(): Promise<boolean>;
  pid(): number;
  /** Ends it, whatever it is doing. */
  end(): void;
};

export function victim(box: Programs, port: number, name = 'victim'): Victim {
  const pidFile = join(box.dir, `${name}.pid`);
  const server = box.node(
    name,
    `import {spawn} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
spawn('sleep', ['600'], {stdio: 'ignore'});
createServer((_, answer) => answer.end('well')).listen(${port}, '127.0.0.1', () => writeFileSync(${JSON.stringify(pidFile)}, process.pid + '\\nmore\\n'));`,
  );
  const start = box.node(
    `${name}-start`,
    `import {spawn} from 'node:child_process';
spawn(${JSON.stringify(server[0])}, [${JSON.stringify(server[1])}], {detached: true, stdio: 'ignore'}).unref();`,
  );
  const answers = () => answered(port);
  const becomesWell = async () => {
    for (let tries = 0; tries < 200; tries += 1) {
      if (await answers()) return true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  };
  const pid = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : 0);
  return {
    ...{pidFile, start, answers, becomesWell, pid},
    async up() {
      spawn(start[0] ?? '', start.slice(1), {stdio: 'ignore'});
      await until(() => pid() > 0);
      if (!(await becomesWell())) throw new Error(`${name} does not answer`);
    },
    end() {
      // Detached: it leads a group, with its child in it.
      for (const signal of ['SIGKILL', 'SIGCONT'] as const) {
        try {
          process.kill(-pid(), signal);
        } catch {}
      }
    },
  };
}

function answered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({host: '127.0.0.1', port, timeout: 200, agent: false}, (answer) => {
      answer.resume();
      resolve(true);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.on('close', () => resolve(false));
    asked.end();
  });
}
