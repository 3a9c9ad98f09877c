import {Help} from '@oclif/core';
import {EXIT_MEANING} from '../lib/exit-codes.ts';

/** The help of the program: oclif's, and at its root what the exit codes mean. */
export default class RegionHelp extends Help {
  protected override async showRootHelp(): Promise<void> {
    await super.showRootHelp();
    const rows = Object.entries(EXIT_MEANING).map(([code, meaning]) => [code.padEnd(3), meaning] as [string, string]);
    this.log(this.section('EXIT CODES', this.renderList(rows, {indentation: 2, stripAnsi: this.opts.stripAnsi ?? false, spacer: '\n'})));
  }
}
