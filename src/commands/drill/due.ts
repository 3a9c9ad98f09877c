import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class DrillDue extends RegionCommand<typeof DrillDue> {
  static override summary = 'What the calendar of drills still owes, by what was run and passed on this fleet.';
  static override description =
    'Only drills that passed count, without a gate that was overridden when they were run; of readiness, a check of "failover ready" that found every way open. Nothing is asked of the fleet. Exit code: 0 nothing is owed, 1 something is overdue or never passed, 3 it cannot be told. With --format nagios it is a monitoring plugin.';
  static override examples = [
    '<%= config.bin %> drill due',
    '<%= config.bin %> drill due --json',
    '<%= config.bin %> drill due --format nagios',
  ];
  static override flags = {
    format: Flags.option({options: ['text', 'nagios'] as const, description: 'how to print the result'})({default: 'text'}),
  };

  async run(): Promise<unknown> {
    const [open, {readDue}, {dueNagios, dueText}] = await Promise.all([
      this.openFleet(),
      import('../../lib/operate/drill-due.ts'),
      import('../../lib/output/drill-due-text.ts'),
    ]);
    const {document, exit} = await readDue(open, this.config.root, process.cwd());
    this.log(this.flags.format === 'nagios' ? dueNagios(document, exit) : dueText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
