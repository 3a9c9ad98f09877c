import {Args, Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';
import {dirFlag, labDir} from '../../lab/dir-flag.ts';

const KINDS = ['lose', 'kill', 'freeze', 'partition', 'latency', 'bandwidth'] as const;

export default class LabFault extends RegionCommand<typeof LabFault> {
  static override summary = 'Break a region of a lab. The fault ends by itself when its lease has run out.';
  static override description = `lose: no path in or out, every process killed.
kill: every process killed, paths stay open.
freeze: every process stopped where it is.
partition: no path in or out, processes go on.
latency: every path takes longer (--ms, --jitter-ms).
bandwidth: what the region sends to others is throttled (--bytes-per-second); with --from the line between the two, both ways.`;
  static override examples = [
    '<%= config.bin %> lab fault lose us-east --lease 5m',
    '<%= config.bin %> lab fault latency ap --ms 80 --jitter-ms 20',
    '<%= config.bin %> lab fault partition eu-west --from us-east',
  ];
  static override args = {
    kind: Args.string({required: true, options: [...KINDS], description: 'what happens to it'}),
    region: Args.string({required: true, description: 'the region to break'}),
  };
  static override flags = {
    ...dirFlag,
    from: Flags.string({helpValue: 'REGION', description: 'only between the region and this one (partition, latency, bandwidth)'}),
    ms: Flags.integer({min: 0, description: 'latency: delay of one way in milliseconds'}),
    'jitter-ms': Flags.integer({min: 0, description: 'latency: up to this much more, at random'}),
    'bytes-per-second': Flags.integer({min: 1, description: 'bandwidth: the limit'}),
    lease: durationFlag({default: 600_000, defaultHelp: async () => '10m', description: 'the fault ends by itself after this'}),
  };

  async run(): Promise<unknown> {
    const {from, ms, 'jitter-ms': jitterMs, 'bytes-per-second': bytesPerSecond, lease, dir} = this.flags;
    const {region, kind} = this.args;
    const [{openRecord}, {askLab}] = await Promise.all([import('../../lab/status.ts'), import('../../lab/control-client.ts')]);
    const body = {region, kind, args: {from, ms, jitterMs, bytesPerSecond}, leaseMs: lease};
    const answer = await askLab(openRecord(labDir(dir)), {method: 'POST', path: '/faults', body});
    this.log(
      `${region}: ${kind}. It ends by itself in ${Math.round(lease / 1000)} s, or with: regionctl lab heal ${region} --dir ${labDir(dir)}`,
    );
    return answer;
  }
}
