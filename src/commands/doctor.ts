import {RegionCommand} from '../kit/command.ts';
import {isRegionctlError, RegionctlError} from '../lib/errors.ts';

export default class Doctor extends RegionCommand<typeof Doctor> {
  static override summary = 'Check the fleet file and everything that it names: secrets, endpoints, stores, settings, routers, state.';
  static override description =
    'Exit code: 0 all well, 1 warnings, 2 errors, 3 something could not be checked, 66 no fleet file, 78 the fleet file is invalid.';
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --json'];

  async run(): Promise<unknown> {
    const [{examine}, {doctorText}, open] = await Promise.all([
      import('../lib/operate/examine.ts'),
      import('../lib/output/doctor-text.ts'),
      this.openFleet().catch((error: unknown) => this.#allProblems(error)),
    ]);
    const {document, exit} = await examine(open, this.interrupt.signal);
    this.log(doctorText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }

  /** Other commands stop at the first problem of the fleet file; this one lists them all. */
  async #allProblems(error: unknown): Promise<never> {
    if (!isRegionctlError(error) || error.code !== 'fleet-invalid') throw error;
    const [{findFleetFile}, {fleetProblems}, {describeProblem}, {kindsOf}] = await Promise.all([
      import('../lib/fleet/find.ts'),
      import('../lib/fleet/load.ts'),
      import('../lib/fleet/problem.ts'),
      import('../lib/fleet/kinds.ts'),
    ]);
    const file = await findFleetFile(process.cwd(), this.flags.fleet);
    const problems = await fleetProblems(file, kindsOf(await this.providers()));
    const suggestions = problems.flatMap((problem) => [describeProblem(file, problem, process.cwd()), problem.suggestion ?? '']);
    throw new RegionctlError(error.code, error.exit, `${file} has ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`, {
      suggestions: suggestions.filter((text) => text !== ''),
    });
  }
}
