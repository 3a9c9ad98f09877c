import {Help} from '@oclif/core';
import {EXIT_MEANING} from '../lib/exit-codes.ts';

/** The help of the program: oclif's, never wider than the terminal, and at its root what the exit codes mean. */
export default class RegionHelp extends Help {
  protected override async showRootHelp(): Promise<void> {
    await super.showRootHelp();
    const rows = Object.entries(EXIT_MEANING).map(([code, meaning]): [string, string] => [code.padEnd(3), meaning]);
    this.log(this.section('EXIT CODES', this.renderList(rows, {indentation: 2, stripAnsi: this.opts.stripAnsi ?? false, spacer: '\n'})));
  }

  /** oclif wraps everything but summaries, which stand at the margin; what is indented keeps its layout. */
  protected override log(...texts: string[]): void {
    const fit = (line: string) => (line.startsWith(' ') ? line : this.wrap(line, 0));
    super.log(...texts.map((text) => text.split('\n').map(fit).join('\n')));
  }
}
