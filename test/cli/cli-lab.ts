import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'vitest';
import {documentOf, type Ended, regionctl, shown} from './program.ts';

/** A lab that only the built program is used on, in a temporary folder of its own. */
export class CliLab {
  readonly parent = mkdtempSync(join(tmpdir(), 'regionctl-cli-'));
  readonly dir = join(this.parent, 'lab');
  readonly fleetFile = join(this.dir, 'regionctl.yaml');
  readonly env = {REGIONCTL_FLEET: this.fleetFile, XDG_DATA_HOME: join(this.parent, 'data')};

  async up(...args: string[]): Promise<Ended> {
    return this.run('lab', 'up', '--dir', this.dir, ...args);
  }

  /** Runs a command on the lab. */
  run = (...args: readonly string[]): Promise<Ended> => regionctl(args, {cwd: this.parent, env: this.env});

  /** Runs a command that must end with one of these codes, and gives its document. */
  async document(args: readonly string[], ...codes: number[]): Promise<Record<string, unknown>> {
    const result = await this.run(...args, '--json');
    expect(codes.length === 0 ? [0] : codes, shown(result)).toContain(result.status);
    expect(result.stderr, shown(result)).toBe('');
    return documentOf(result);
  }

  async down(): Promise<void> {
    await this.run('lab', 'down', '--dir', this.dir);
    rmSync(this.parent, {recursive: true, force: true});
  }
}
