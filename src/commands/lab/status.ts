import {RegionCommand} from '../../kit/command.ts';
import {dirFlag, labDir} from '../../lab/dir-flag.ts';

export default class LabStatusCommand extends RegionCommand<typeof LabStatusCommand> {
  static override summary = 'Show the regions of a lab, their addresses and processes, and the faults that are active.';
  static override description = 'Works also when the supervisor is dead.';
  static override examples = ['<%= config.bin %> lab status', '<%= config.bin %> lab status --json'];
  static override flags = {...dirFlag};

  async run(): Promise<unknown> {
    const [{labStatus}, {labStatusText}] = await Promise.all([import('../../lab/status.ts'), import('../../lab/status-text.ts')]);
    const status = await labStatus(labDir(this.flags.dir));
    this.log(labStatusText(status, {paint: await this.paint(), columns: this.columns, now: Date.now()}));
    return status;
  }
}
