import {RegionCommand} from '../kit/command.ts';

export default class Doctor extends RegionCommand<typeof Doctor> {
  static override summary = 'Check the fleet file and everything that it names: secrets, endpoints, stores, settings, routers, state.';
  static override description =
    'Exit code: 0 all well, 1 warnings, 2 errors, 3 something could not be checked, 66 no fleet file, 78 the fleet file is invalid.';
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --json'];

  async run(): Promise<unknown> {
    const [{examine}, {doctorText}, open] = await Promise.all([
      import('../lib/operate/examine.ts'),
      import('../lib/output/doctor-text.ts'),
      this.openFleet(),
    ]);
    const {document, exit} = await examine(open, this.interrupt.signal);
    this.log(doctorText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
