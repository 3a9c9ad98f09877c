import {Args, Errors, Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';
import {dirFlag, labDir} from '../../lab/dir-flag.ts';
import {EXIT} from '../../lib/exit-codes.ts';
import {LAB_FAULT_KINDS} from '../../lib/providers/lab/lab-fault-kinds.ts';

/** What can be said to each kind that takes flags. */
const FLAGS: Partial<Record<keyof typeof LAB_FAULT_KINDS, string>> = {
  partition: '--from, --direction',
  latency: '--ms, --jitter-ms, --from',
  bandwidth: '--bytes-per-second; with --from the line between the two, both ways',
  errors: '--share',
  'disk-full': '--what',
  skew: '--ms, negative = behind',
  router: 'at front-door; --silent',
};

const shareFlag = Flags.custom<number>({
  parse: async (text) => {
    const share = Number(text);
    if (text.trim() !== '' && share >= 0 && share <= 1) return share;
    throw new Errors.CLIError(`expected a number from 0 to 1, got "${text}"`, {exit: EXIT.usage});
  },
});

export default class LabFault extends RegionCommand<typeof LabFault> {
  static override summary = 'Break a region of a lab, or its front door. The fault ends by itself when its lease has run out.';
  static override description = Object.entries(LAB_FAULT_KINDS)
    .map(([kind, text]) => `${kind}: ${text}${kind in FLAGS ? ` (${FLAGS[kind as keyof typeof FLAGS]})` : ''}.`)
    .join('\n');
  static override examples = [
    '<%= config.bin %> lab fault lose us-east --lease 5m',
    '<%= config.bin %> lab fault latency ap --ms 80 --jitter-ms 20',
    '<%= config.bin %> lab fault partition eu-west --from us-east --direction out',
    '<%= config.bin %> lab fault errors us-east --share 0.3',
    '<%= config.bin %> lab fault skew ap --ms -90000',
    '<%= config.bin %> lab fault router front-door --silent',
  ];
  static override args = {
    kind: Args.string({required: true, options: Object.keys(LAB_FAULT_KINDS), description: 'what happens to it'}),
    region: Args.string({required: true, description: 'the region to break, or front-door'}),
  };
  static override flags = {
    ...dirFlag,
    from: Flags.string({helpValue: 'REGION', description: 'only between the region and this one (partition, latency, bandwidth)'}),
    direction: Flags.option({
      options: ['in', 'out'] as const,
      description: 'partition: only what the region sends is lost (out), or only what is sent to it (in)',
    })(),
    ms: Flags.integer({description: 'latency: delay of one way in milliseconds; skew: how far the clock is ahead, negative = behind'}),
    'jitter-ms': Flags.integer({min: 0, description: 'latency: up to this much more, at random'}),
    'bytes-per-second': Flags.integer({min: 1, description: 'bandwidth: the limit'}),
    share: shareFlag({helpValue: '0..1', description: 'errors: which share of the requests is answered with 500'}),
    what: Flags.option({options: ['wal'] as const, description: 'disk-full: what cannot be written'})(),
    silent: Flags.boolean({description: 'router: connections are taken and never answered, instead of refused'}),
    lease: durationFlag({default: 600_000, defaultHelp: async () => '10m', description: 'the fault ends by itself after this'}),
  };

  async run(): Promise<unknown> {
    const {from, direction, ms, 'jitter-ms': jitterMs, 'bytes-per-second': bytesPerSecond, share, what, silent, lease, dir} = this.flags;
    const {region, kind} = this.args;
    const [{openRecord}, {askLab}] = await Promise.all([import('../../lab/status.ts'), import('../../lab/control-client.ts')]);
    const args = {from, direction, ms, jitterMs, bytesPerSecond, share, what, ...(silent ? {silent} : {})};
    const answer = await askLab(openRecord(labDir(dir)), {method: 'POST', path: '/faults', body: {region, kind, args, leaseMs: lease}});
    this.log(
      `${region}: ${kind}. It ends by itself in ${Math.round(lease / 1000)} s, or with: regionctl lab heal ${region} --dir ${labDir(dir)}`,
    );
    return answer;
  }
}
