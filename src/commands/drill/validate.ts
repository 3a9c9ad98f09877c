import {Args} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';
import {EXIT} from '../../lib/exit-codes.ts';

export default class DrillValidate extends RegionCommand<typeof DrillValidate> {
  static override summary =
    'Check drill files against the fleet: their form, the names in them, what is permitted, and which faults can be had.';
  static override description = 'Nothing is touched. Exit code: 0 valid, 78 a file is not.';
  static override examples = [
    '<%= config.bin %> drill validate drills/region-lost.yaml',
    '<%= config.bin %> drill validate drills/*.yaml --json',
  ];
  static override args = {drill: Args.string({required: true, multiple: true, description: 'drill files'})};

  async run(): Promise<unknown> {
    const [open, {validateDrills}, {drillValidateText}] = await Promise.all([
      this.openFleet(),
      import('../../lib/operate/drill-validate.ts'),
      import('../../lib/output/drill-validate-text.ts'),
    ]);
    const document = await validateDrills(open, this.args.drill, {cwd: process.cwd(), signal: this.interrupt.signal});
    this.log(drillValidateText(document, await this.layout()));
    this.verdict(document.valid ? EXIT.good : EXIT.fleetInvalid);
    return document;
  }
}
