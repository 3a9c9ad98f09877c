import {RegionCommand} from '../../kit/command.ts';
import {dirFlag, labDir} from '../../lab/dir-flag.ts';

export default class LabDown extends RegionCommand<typeof LabDown> {
  static override summary = 'End a lab and remove everything that it made: processes, shared memory, files.';
  static override description = 'Works also when its supervisor was killed or is stuck. No lab there = exit code 0.';
  static override examples = ['<%= config.bin %> lab down', '<%= config.bin %> lab down --dir ./demo'];
  static override flags = {...dirFlag};

  async run(): Promise<unknown> {
    const {stopLab} = await import('../../lab/down.ts');
    const result = await stopLab(labDir(this.flags.dir));
    const says = {
      stopped: `The lab in ${result.dir} is gone.`,
      forced: `The lab in ${result.dir} is gone. Its supervisor did not answer and was ended by force.`,
      nothing: `There is no lab in ${result.dir}.`,
    };
    this.log(says[result.outcome]);
    return result;
  }
}
