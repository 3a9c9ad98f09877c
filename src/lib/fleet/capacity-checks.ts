import {checkCapacityPlan} from './capacity-plan-checks.ts';
import {unknownName} from './name-checks.ts';
import type {Finding, Path} from './problem.ts';
import type {FleetFile} from './schema.ts';

/** The kind of source that is regionctl's own history: it has only what `capacity collect` wrote. */
export const OWN_HISTORY = 'history';

type Series = NonNullable<FleetFile['capacity']>['series'][string];

/** Cross checks of what is forecast: sources, regions and data classes that are there, and somewhere to collect from. */
export function checkCapacity(file: FleetFile): readonly Finding[] {
  if (file.capacity === null) return [];
  const {series, ...plan} = file.capacity;
  const known = {series: Object.keys(series), regions: Object.keys(file.regions), routes: Object.keys(file.routes)};
  return [
    ...Object.entries(series).flatMap(([name, one]) => {
      const path = ['capacity', 'series', name];
      return [...checkSources(file, one, path), ...checkNames(file, one, path)];
    }),
    ...checkCapacityPlan(plan, known),
  ];
}

function checkSources({metrics}: FleetFile, {source, collect}: Series, path: Path): readonly Finding[] {
  const known = Object.keys(metrics);
  const isHistory = (name: string): boolean => Object.hasOwn(metrics, name) && metrics[name]?.kind === OWN_HISTORY;
  const unknown = (['source', 'collect'] as const).flatMap((key) => {
    const name = {source, collect}[key];
    return name === null || known.includes(name) ? [] : [unknownName(name, known, 'source', [...path, key], 'value')];
  });
  if (unknown.length > 0) return unknown;
  if (collect !== null && isHistory(collect))
    return [
      {
        path: [...path, 'collect'],
        at: 'value',
        message: `"${collect}" is regionctl's own history, which \`capacity collect\` fills`,
        suggestion: 'Name the source that has the current value, such as a prometheus.',
      },
    ];
  if (collect === null && isHistory(source))
    return [
      {
        path: [...path, 'source'],
        at: 'value',
        message: `"${source}" is regionctl's own history, and nothing says where its values come from`,
        suggestion: 'Add collect: the source that `capacity collect` takes the current value from.',
      },
    ];
  return [];
}

function checkNames({regions, dataClasses}: FleetFile, series: Series, path: Path): readonly Finding[] {
  const known = Object.keys(regions);
  const classes = Object.keys(dataClasses);
  const {dataClass} = series;
  return [
    ...Object.keys(series.regions)
      .filter((region) => !known.includes(region))
      .map((region) => unknownName(region, known, 'region', [...path, 'regions', region], 'key')),
    ...(dataClass === null || classes.includes(dataClass)
      ? []
      : [unknownName(dataClass, classes, 'data class', [...path, 'dataClass'], 'value')]),
  ];
}
