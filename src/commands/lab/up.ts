import {join, resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';
import {dirFlag, labDir} from '../../lab/dir-flag.ts';
import {LAB_MODES, modeOf} from '../../lab/mode-flag.ts';

export default class LabUp extends RegionCommand<typeof LabUp> {
  static override summary =
    'Start a multi-region lab on this machine: real PostgreSQL, a service per region, a front door, faults on request.';
  static override description =
    'The first region is the primary, the others are its standbys; with --mode active-active every region takes writes and replicates to the others. Answers when all of them stream and the front door serves. Exit code: 0 up, 69 it did not start, 77 there is a lab already.';
  static override examples = [
    '<%= config.bin %> lab up',
    '<%= config.bin %> lab up --regions 2 --dir ./demo --profile stock',
    '<%= config.bin %> lab up --mode active-active',
  ];
  static override flags = {
    ...dirFlag,
    regions: Flags.integer({default: 3, min: 2, max: 7, description: 'how many regions'}),
    mode: Flags.option({
      options: LAB_MODES,
      description:
        'quorum: a commit waits for one other region; async: for none (RPO 5m instead of 0); active-active: every region takes writes. Default quorum',
    })(),
    async: Flags.boolean({description: 'the same as --mode async'}),
    profile: Flags.option({
      options: ['fast', 'stock'] as const,
      default: 'fast' as const,
      description: "fast: data in memory, no fsync; stock: PostgreSQL's defaults on disk",
    })(),
    'postgres-bin': Flags.string({
      helpValue: 'DIR',
      description: "folder of PostgreSQL's programs, 15 or newer; default: the ones from npm",
    }),
  };

  async run(): Promise<unknown> {
    const {dir, regions, mode, async: asynchronous, profile, 'postgres-bin': bin} = this.flags;
    const {startLab} = await import('../../lab/up.ts');
    const began = performance.now();
    const status = await startLab({
      ...{dir: labDir(dir), regions, profile, mode: modeOf(mode, asynchronous), root: this.config.root},
      postgresBin: bin === undefined ? null : resolve(bin),
      schemaFile: join(this.config.root, 'schemas', 'fleet.schema.json'),
      signal: this.interrupt.signal,
    });
    const {labStatusText} = await import('../../lab/status-text.ts');
    this.log(labStatusText(status, {paint: await this.paint(), columns: this.columns, now: Date.now()}));
    this.log(
      `\nUp in ${((performance.now() - began) / 1000).toFixed(1)} s. Next:\n  export REGIONCTL_FLEET=${status.fleetFile}\n  regionctl health check`,
    );
    return status;
  }
}
