import {Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';

export default class HealthCheck extends RegionCommand<typeof HealthCheck> {
  static override summary = 'Ask every endpoint of every region once, and judge each region.';
  static override description =
    'Exit code: 0 healthy, 1 degraded or recovering, 2 unhealthy, 3 unknown or cut off from here. With --format nagios it is a monitoring plugin.';
  static override examples = [
    '<%= config.bin %> health check',
    '<%= config.bin %> health check --region us-east --json',
    '<%= config.bin %> health check --format nagios',
    '<%= config.bin %> health check --region eu-west --wait-for healthy --timeout 5m',
  ];
  static override flags = {
    region: Flags.string({description: 'only this region', helpValue: 'REGION'}),
    'wait-for': Flags.option({
      options: ['healthy', 'degraded'] as const,
      description: 'ask again until all is healthy, or at least degraded',
    })(),
    timeout: durationFlag({dependsOn: ['wait-for'], description: 'how long --wait-for waits; default: 5m'}),
    every: durationFlag({dependsOn: ['wait-for'], description: 'how long --wait-for rests between two looks; default: 2s'}),
    format: Flags.option({options: ['text', 'nagios', 'prometheus', 'junit', 'ndjson'] as const, description: 'how to print the result'})({
      default: 'text',
    }),
  };

  async run(): Promise<unknown> {
    const open = await this.openFleet();
    const {document, exit} = await this.#look(open);
    const {formatHealth} = await import('../../lib/output/health-formats.ts');
    this.log(formatHealth(document, this.flags.format, await this.layout()));
    this.verdict(exit);
    return document;
  }

  /** Once, or until it is as good as wanted: what changes meanwhile goes to stderr. */
  async #look(open: Awaited<ReturnType<HealthCheck['openFleet']>>) {
    const {region, 'wait-for': want, timeout: timeoutMs = 300_000, every: everyMs = 2000} = this.flags;
    const options = {region, signal: this.interrupt.signal};
    if (want === undefined) return (await import('../../lib/health/check.ts')).checkHealth(open, options);
    const [{waitForHealth}, {formatMs}] = await Promise.all([import('../../lib/health/wait.ts'), import('../../lib/output/units.ts')]);
    const onChange = (says: string, elapsedMs: number) => this.logToStderr(`${formatMs(elapsedMs)}  ${says}`);
    return waitForHealth(open, {...options, want, timeoutMs, everyMs, onChange});
  }
}
