import {Args, Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';
import {DRILL_FORMATS} from '../../lib/output/drill-formats.ts';

export default class DrillReport extends RegionCommand<typeof DrillReport> {
  static override summary = 'Write the report of a drill: a page for people, Markdown for a wiki, JUnit XML for CI, or JSON.';
  static override description =
    'The HTML is one file that needs nothing beside it. A file is written whole or not at all; an earlier report is replaced, another file is not. Exit code: 0 written, whatever the verdict, 64 there is no such drill or no such place, 73 the file cannot be written.';
  static override examples = [
    '<%= config.bin %> drill report --output drill.html',
    '<%= config.bin %> drill report region-lost --format markdown',
    '<%= config.bin %> drill report last --format junit --output drill.xml',
  ];
  static override args = {
    run: Args.string({default: 'last', description: 'the id of a run or its beginning, `last`, or the name of a drill: its newest run'}),
  };
  static override flags = {
    format: Flags.option({
      options: DRILL_FORMATS,
      description: 'default: by the name of the file (.md, .json, .xml for junit), else html',
    })(),
    output: Flags.string({char: 'o', helpValue: 'FILE', description: 'default: printed'}),
  };

  async run(): Promise<unknown> {
    const {format, output} = this.flags;
    const [{showDrill}, {formatDrill, formatOfFile}, open] = await Promise.all([
      import('../../lib/operate/drill-history.ts'),
      import('../../lib/output/drill-formats.ts'),
      this.openFleet(),
    ]);
    if (output !== undefined) await (await import('../../lib/operate/report-files.ts')).checkReportPath(output);
    const report = await showDrill(open, this.args.run);
    const text = await formatDrill(report, format ?? formatOfFile(output ?? ''));
    if (output === undefined) this.log(text.trimEnd());
    else {
      const {writeReport} = await import('../../lib/operate/write-report.ts');
      await writeReport(output, text);
      this.log(`The report of ${report.runId} is in ${output}`);
    }
    return report;
  }
}
