import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class HealthCheck extends RegionCommand<typeof HealthCheck> {
  static override summary = 'Ask every endpoint of every region once, and judge each region.';
  static override description =
    'Exit code: 0 healthy, 1 degraded or recovering, 2 unhealthy, 3 unknown or cut off from here. With --format nagios it is a monitoring plugin.';
  static override examples = [
    '<%= config.bin %> health check',
    '<%= config.bin %> health check --region us-east --json',
    '<%= config.bin %> health check --format nagios',
  ];
  static override flags = {
    region: Flags.string({description: 'only this region', helpValue: 'REGION'}),
    format: Flags.option({options: ['text', 'nagios', 'prometheus', 'junit'] as const, description: 'how to print the result'})({
      default: 'text',
    }),
  };

  async run(): Promise<unknown> {
    const [{checkHealth}, open] = await Promise.all([import('../../lib/health/check.ts'), this.openFleet()]);
    const {document, exit} = await checkHealth(open, {region: this.flags.region, signal: this.interrupt.signal});
    const {formatHealth} = await import('../../lib/output/health-formats.ts');
    this.log(formatHealth(document, this.flags.format, await this.layout()));
    this.verdict(exit);
    return document;
  }
}
