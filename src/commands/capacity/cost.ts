import {Errors, Flags} from '@oclif/core';
import {durationFlag, RegionCommand} from '../../kit/command.ts';
import {usageError} from '../../lib/errors.ts';
import {EXIT} from '../../lib/exit-codes.ts';
import type {ScalingOptions} from '../../lib/operate/cost.ts';

const WEEK_MS = 7 * 24 * 3_600_000;

/** A number of at least `least`, such as 2, or with `%` allowed 40%. */
const numberFlag = (least: number, most: number, unit: '' | '%') =>
  Flags.custom<number>({
    helpValue: unit === '' ? 'NUMBER' : 'PERCENT',
    parse: async (input) => {
      const [, digits] = (unit === '' ? /^(\d+(?:\.\d+)?)$/ : /^(\d+(?:\.\d+)?)%?$/).exec(input) ?? [];
      const value = Number(digits ?? Number.NaN);
      if (value >= least && value <= most) return value;
      const what = unit === '' ? 'a number' : 'percent';
      throw new Errors.CLIError(`expected ${what} from ${least} to ${most}, got "${input}"`, {exit: EXIT.usage});
    },
  });

export default class CapacityCost extends RegionCommand<typeof CapacityCost> {
  static override summary = 'Plan the replicas that the forecasts need, and what they cost by a price file.';
  static override description =
    `For each load of capacity.scaling: replicas by the p90 of the forecast, ready before they are needed; the cheapest mix of reserved, on-demand and spot instances; what it saves against capacity that never changes; what each tier costs; and the transfer between regions, of today's and of a planned split of traffic.
--growth multiplies the next days, and what is transferred, by the whole growth: what they would cost at its end, by today's prices.
--format hpa prints a HorizontalPodAutoscaler (autoscaling/v2) for each load that names a deployment, and needs no prices.
Exit code: 0 objectives met (or none), 1 one missed or too few replicas allowed, 3 something is not known.`;
  static override examples = [
    '<%= config.bin %> capacity cost',
    '<%= config.bin %> capacity cost --margin 1.5 --spot-share 40% --json',
    '<%= config.bin %> capacity cost --growth 2x --over 6mo',
    '<%= config.bin %> capacity cost --split front-door:us-east=60,eu-west=40',
    '<%= config.bin %> capacity cost --series requests --region us-east --format hpa',
  ];
  static override flags = {
    series: Flags.string({multiple: true, helpValue: 'SERIES', description: 'only these loads; default: all of capacity.scaling'}),
    region: Flags.string({multiple: true, helpValue: 'REGION', description: 'only these regions; default: all'}),
    window: durationFlag({description: 'how far ahead; default: 7d'}),
    growth: Flags.string({helpValue: 'GROWTH', description: 'as it would be at the end of a growth: 2x (with --over), or 5%/mo'}),
    over: Flags.string({helpValue: 'SPAN', dependsOn: ['growth'], description: 'how long it grows: 90d, 26w, 6mo or 2y'}),
    margin: numberFlag(
      1,
      100,
      '',
    )({description: 'safety margin: replicas for so many times the expected load; default: as the fleet file says, or 2'}),
    'spot-share': numberFlag(0, 100, '%')({description: 'how much of what is needed may be spot; default: as the fleet file says, or 40%'}),
    prices: Flags.string({helpValue: 'FILE', description: 'price file; default: as the fleet file says'}),
    split: Flags.string({
      multiple: true,
      helpValue: 'ROUTE:REGION=WEIGHT,…',
      description: 'planned weights of a route, whose transfer is compared with today',
    }),
    format: Flags.option({options: ['text', 'hpa'] as const, description: 'hpa = manifests for Kubernetes'})(),
  };

  async run(): Promise<unknown> {
    const {
      series = [],
      region: regions = [],
      window: spanMs = WEEK_MS,
      margin,
      prices,
      split: splits = [],
      format,
      growth,
      over,
    } = this.flags;
    if (format === 'hpa' && this.jsonEnabled()) throw usageError('--format hpa prints YAML: leave --json out');
    const options = {series, regions, spanMs, margin, growth, over, signal: this.interrupt.signal};
    if (format === 'hpa') return this.#autoscalers(options);
    const [{planCost}, {costText}, open] = await Promise.all([
      import('../../lib/operate/cost.ts'),
      import('../../lib/output/cost-text.ts'),
      this.openFleet(),
    ]);
    const {document, exit} = await planCost(open, {...options, prices, spotShare: this.flags['spot-share'], splits});
    this.log(costText(document, await this.layout()));
    this.verdict(exit);
    return document;
  }

  async #autoscalers(options: ScalingOptions): Promise<void> {
    const [{planAutoscalers}, {hpaText}, open] = await Promise.all([
      import('../../lib/operate/cost.ts'),
      import('../../lib/output/hpa-text.ts'),
      this.openFleet(),
    ]);
    const {autoscalers, missing, leftOut} = await planAutoscalers(open, options);
    if (autoscalers.length > 0) this.log(hpaText(autoscalers));
    for (const {name, region, reason} of missing)
      this.logToStderr(`${name}${region === null ? '' : ` of ${region}`} is not planned: ${reason}`);
    for (const each of leftOut) this.logToStderr(each);
    if (missing.length > 0) this.verdict(EXIT.unknown);
  }
}
