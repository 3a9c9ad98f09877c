import {Flags} from '@oclif/core';
import {RegionCommand} from '../../kit/command.ts';

export default class HealthMatrix extends RegionCommand<typeof HealthMatrix> {
  static override summary = 'Show which vantage point sees which endpoint.';
  static override description =
    'Asks every endpoint once from this machine and from every vantage point of the fleet file. Exit code as that of health check.';
  static override examples = ['<%= config.bin %> health matrix', '<%= config.bin %> health matrix --region eu-west --json'];
  static override flags = {region: Flags.string({description: 'only this region', helpValue: 'REGION'})};

  async run(): Promise<unknown> {
    const open = await this.openFleet();
    const [{checkHealth}, {matrixOf}, {matrixText}] = await Promise.all([
      import('../../lib/health/check.ts'),
      import('../../lib/health/matrix.ts'),
      import('../../lib/output/matrix-text.ts'),
    ]);
    const {document, exit} = await checkHealth(open, {region: this.flags.region, signal: this.interrupt.signal, all: true});
    const matrix = matrixOf(document, open.fleet);
    this.log(matrixText(matrix, await this.layout()));
    this.verdict(exit);
    return matrix;
  }
}
