import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';
import {isRegionctlError} from '../../lib/errors.ts';
import type {OpenFleet} from '../../lib/providers/open-fleet.ts';

export default class DrillList extends RegionCommand<typeof DrillList> {
  static override summary = 'List the drills that can be run by name, with the last run of each.';
  static override description =
    'Looks at the files that the calendar names, at --dir, at the folder "drills" beside the fleet file, and at the drills of the program; the nearest wins a name. Works without a fleet file, too.';
  static override examples = ['<%= config.bin %> drill list', '<%= config.bin %> drill list --dir runbooks/drills --json'];
  static override flags = {dir: Flags.string({helpValue: 'DIR', description: 'a folder with drills of your own'})};

  async run(): Promise<unknown> {
    const [open, {listDrills}, {drillListText}] = await Promise.all([
      this.#openIfThere(),
      import('../../lib/operate/drill-list.ts'),
      import('../../lib/output/drill-list-text.ts'),
    ]);
    const places = {root: this.config.root, cwd: process.cwd(), fleet: open?.fleet ?? null, dir: this.flags.dir};
    const document = await listDrills(open, places);
    this.log(drillListText(document, await this.layout()));
    return document;
  }

  /** A fleet file that was named must be there. */
  async #openIfThere(): Promise<OpenFleet | null> {
    try {
      return await this.openFleet();
    } catch (error) {
      if (isRegionctlError(error) && error.code === 'fleet-missing' && this.flags.fleet === undefined) return null;
      throw error;
    }
  }
}
