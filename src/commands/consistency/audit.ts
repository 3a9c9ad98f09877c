import {Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';
import {usageError} from '../../lib/errors.ts';

export default class ConsistencyAudit extends RegionCommand<typeof ConsistencyAudit> {
  static override summary = 'Compare the data of a store in all of its regions, and say what the answer is worth.';
  static override description =
    `Reads only. Each server hashes its own rows; what differs is read again once replication has brought every region to where the others were, so that what is merely late is told from what diverged.
Ctrl+C ends it, and --resume goes on with it. --quick counts the rows of each part, looks for the youngest, and hashes only what was written since the last audit: fit for every five minutes, but blind to damage that no transaction did.
Exit code: 0 equal, 1 diverged, 2 more rows differ than were listed, 3 unknown: something could not be compared, or not to the end.`;
  static override examples = [
    '<%= config.bin %> consistency audit',
    '<%= config.bin %> consistency audit --store orders --table public.orders --json',
    '<%= config.bin %> consistency audit --explain',
    '<%= config.bin %> consistency audit --max-lag 5s --max-load 20 --chunk-time 250ms',
    '<%= config.bin %> consistency audit --quick',
    '<%= config.bin %> consistency audit --resume last',
  ];
  static override flags = {
    store: Flags.string({helpValue: 'STORE', description: 'the store; may be left out where only one can be compared'}),
    region: Flags.string({multiple: true, helpValue: 'REGION', description: 'compare only these regions, two at least; default: all'}),
    table: Flags.string({
      multiple: true,
      helpValue: 'TABLE',
      description: 'only these tables, as schema.table; default: as the fleet file says',
    }),
    quick: Flags.boolean({description: 'hash only what was written since the last audit that came to its end'}),
    resume: Flags.string({
      helpValue: 'AUDIT',
      exclusive: ['table', 'region', 'quick', 'explain'],
      description: 'go on with an audit by its id; last = the newest',
    }),
    explain: Flags.boolean({exclusive: ['quick'], description: 'say what would be read, and how, and read no row'}),
    limit: Flags.integer({min: 1, max: 1_000_000, default: 1000, description: 'how many keys that differ are listed for each table'}),
    'chunk-time': durationFlag({description: 'how long one statement should take; default: 1s'}),
    'max-lag': durationFlag({description: 'hold still while replication of the store is further behind; default: never'}),
    'max-load': Flags.integer({min: 1, description: 'hold still while more sessions than this are active on a member; default: never'}),
    'settle-time': durationFlag({description: 'how long replication may take to catch up before differences are read again; default: 30s'}),
    'wait-timeout': durationFlag({description: 'end after so long: what was not read is unknown then; default: no limit'}),
  };

  async run(): Promise<unknown> {
    const {store, region = [], table = [], quick, resume, explain, limit} = this.flags;
    const {
      'chunk-time': sliceMs = 1000,
      'max-lag': maxLagMs = null,
      'max-load': maxLoad = null,
      'settle-time': settleMs = 30_000,
    } = this.flags;
    if (sliceMs < 10) throw usageError('--chunk-time must be at least 10ms');
    const open = await this.openFleet();
    const {regionOf} = await import('../../lib/fleet/lookup.ts');
    for (const name of region) regionOf(open.fleet, name);
    const tables = table.map((name) => (name.includes('.') ? name : `public.${name}`));
    const base = {store, regions: region, tables, sliceMs, signal: this.interrupt.signal};
    if (explain) return this.#explain(open, base);
    const [{audit}, {auditText}, {drawProgress}] = await Promise.all([
      import('../../lib/operate/audit.ts'),
      import('../../lib/output/audit-text.ts'),
      import('../../lib/output/audit-progress.ts'),
    ]);
    const drawn = process.stderr.isTTY && !this.jsonEnabled() ? drawProgress(process.stderr, () => performance.now()) : null;
    let id: string | null = null;
    try {
      const {document, exit} = await audit(open, {
        ...{...base, quick, resume, settleMs, limit, limits: {maxLagMs, maxLoad, waitMs: this.flags['wait-timeout'] ?? null}},
        onBegin: (begun) => {
          id = begun;
        },
        onProgress: (progress, pausedBy) => drawn?.draw({...progress, pausedBy}),
      });
      drawn?.end();
      this.log(auditText(document, await this.layout()));
      this.verdict(exit);
      return document;
    } catch (error) {
      drawn?.end();
      if (this.interrupt.signal.aborted && id !== null)
        this.logToStderr(`Go on with it: ${this.config.bin} consistency audit --resume ${id}`);
      throw error;
    }
  }

  async #explain(
    open: Awaited<ReturnType<ConsistencyAudit['openFleet']>>,
    options: Parameters<typeof import('../../lib/operate/audit-explain.ts').explainAudit>[1],
  ) {
    const [{explainAudit}, {auditPlanText}] = await Promise.all([
      import('../../lib/operate/audit-explain.ts'),
      import('../../lib/output/audit-plan-text.ts'),
    ]);
    const document = await explainAudit(open, options);
    this.log(auditPlanText(document, await this.layout()));
    return document;
  }
}
