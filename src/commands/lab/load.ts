import {Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';
import {dirFlag, labDir} from '../../lab/dir-flag.ts';
import {unavailable} from '../../lib/errors.ts';
import {EXIT} from '../../lib/exit-codes.ts';

export default class LabLoad extends RegionCommand<typeof LabLoad> {
  static override summary = 'Send orders through the front door of a lab and count what became of them.';
  static override description =
    'Orders are sent at their time, answered or not. Ctrl+C ends it and prints. Exit code: 0 all acknowledged, 1 some were not.';
  static override examples = ['<%= config.bin %> lab load --rate 50 --duration 30s'];
  static override flags = {
    ...dirFlag,
    rate: Flags.integer({default: 50, min: 1, max: 2000, description: 'orders per second'}),
    duration: durationFlag({default: 30_000, defaultHelp: async () => '30s', description: 'for how long'}),
  };

  async run(): Promise<unknown> {
    const {rate, duration, dir} = this.flags;
    const [{openRecord}, {runLoad}] = await Promise.all([import('../../lab/status.ts'), import('../../lab/load.ts')]);
    const {frontDoor} = openRecord(labDir(dir));
    if (frontDoor === null) throw unavailable('lab-unreachable', `the lab in ${labDir(dir)} has not come up`);
    const result = await runLoad({
      url: `http://127.0.0.1:${frontDoor}`,
      ratePerSecond: rate,
      durationMs: duration,
      signal: this.interrupt.signal,
    });
    const {p50, p95, p99} = result.latencyMs;
    this.log(`${result.sent} sent, ${result.acknowledged} acknowledged, ${result.failed} failed, ${result.unknown} unknown`);
    this.log(`Latency of acknowledged orders: p50 ${shown(p50)}, p95 ${shown(p95)}, p99 ${shown(p99)}`);
    this.verdict(result.acknowledged === result.sent ? EXIT.good : EXIT.warning);
    return result;
  }
}

const shown = (ms: number | null) => (ms === null ? '-' : `${ms} ms`);
