import {Flags} from '@oclif/core';
import {durationFlag} from '../../../kit/command.ts';
import {overrideFlags, RunCommand} from '../../../kit/run-command.ts';

export default class ConsistencyRepairPlan extends RunCommand<typeof ConsistencyRepairPlan> {
  static override summary = 'Plan which row each key that an audit found to differ is to have, and why. Writes nothing but the plan.';
  static override description =
    `Every key is read again in all regions, and decided in layers: values that merge by their type, then the version that has seen all others, then the policy of the table in the fleet file. What was written since the audit is refused unless it is named with --key.
The plan names a rows file beside it (FILE.rows.ndjson), one line for each write.
Exit code: 0 all that differs is planned, or nothing does; 1 some keys are left to a person, or were written since; 3 something could not be read; 77 a gate refuses.`;
  static override examples = [
    '<%= config.bin %> consistency repair plan',
    '<%= config.bin %> consistency repair plan --output repair.json',
    '<%= config.bin %> consistency repair plan --take 42=ap --output repair.json',
  ];
  // oclif's own line would be wider than 80 columns.
  static override usage = 'consistency repair plan [flags]';
  static override flags = {
    store: Flags.string({helpValue: 'STORE', description: 'the store; may be left out where only one can be repaired'}),
    audit: Flags.string({helpValue: 'AUDIT', description: 'go by this audit; default: the newest that came to its end'}),
    table: Flags.string({multiple: true, helpValue: 'TABLE', description: 'only these tables, as schema.table'}),
    key: Flags.string({multiple: true, helpValue: 'KEY', description: 'only these keys, also where they were written since the audit'}),
    take: Flags.string({
      multiple: true,
      helpValue: 'KEY=REGION',
      description: 'give this key the version of a region, whatever the rules say',
    }),
    output: Flags.string({char: 'o', helpValue: 'FILE', description: 'save the plan, for repair run --plan FILE'}),
    'max-age': durationFlag({description: 'refuse to go by an audit that is older; default: 24h'}),
    'settle-time': durationFlag({description: 'how long replication may take to catch up before rows are read; default: 30s'}),
    ...overrideFlags,
  };

  async run(): Promise<unknown> {
    const {store, audit, table = [], key = [], take = [], output, override, reason} = this.flags;
    const {'max-age': maxAgeMs = 24 * 3_600_000, 'settle-time': settleMs = 30_000} = this.flags;
    const [open, {planRepairOf}, {takeOf}, {repairPlanText}] = await Promise.all([
      this.openFleet(),
      import('../../../lib/operate/repair-plan.ts'),
      import('../../../lib/operate/repair-keys.ts'),
      import('../../../lib/output/repair-text.ts'),
    ]);
    const {document, exit} = await planRepairOf(open, await this.world(open), {
      ...{store, audit, output, maxAgeMs, settleMs, keys: key, takes: take.map(takeOf), signal: this.interrupt.signal},
      tables: table.map((name) => (name.includes('.') ? name : `public.${name}`)),
      overrides: await this.overrides(override, reason),
      onProgress: () => {},
    });
    if (output !== undefined && document.repair.rows !== null) {
      const {writeFleetFile} = await import('../../../lib/fleet/write-file.ts');
      await writeFleetFile(output, `${JSON.stringify(document, null, 2)}\n`, {force: true});
    } else if (output !== undefined) {
      const {existsSync} = await import('node:fs');
      // Whoever runs it next must not take it for this one.
      if (existsSync(output)) this.logToStderr(`No plan was saved: ${output} is an earlier one, as it was.`);
    }
    this.log(repairPlanText(document, await this.layout(), output ?? null));
    this.verdict(exit);
    return document;
  }
}
