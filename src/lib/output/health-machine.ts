import {EXIT_MEANING} from '../exit-codes.ts';
import type {HealthDocument, HealthEndpoint, HealthRegion} from '../health/document.ts';
import {verdictExit} from '../health/verdict.ts';
import {xmlQuoted as quoted} from './xml.ts';

type Placed = {readonly region: string; readonly endpoint: HealthEndpoint};

/** One line for Nagios and Icinga: state, sentence, and the latencies as performance data (`U` = not measured). */
export function healthNagios(document: HealthDocument): string {
  const state = EXIT_MEANING[verdictExit(document.verdict)].split(':')[0]?.toUpperCase() ?? 'UNKNOWN';
  const word = state === 'GOOD' ? 'OK' : state;
  const figures = placed(document).map(({region, endpoint}) => `'${perfLabel(`${region}/${endpoint.endpoint}`)}'=${inMs(endpoint)}`);
  return `REGIONCTL ${word} - ${oneLine(`${document.fleet}: ${document.reason}`)} | ${figures.join(' ')}`.trimEnd();
}

function inMs({latencyMs}: HealthEndpoint): string {
  return latencyMs === null ? 'U' : `${latencyMs}ms;;;0`;
}

/** Perfdata labels may hold neither a quote nor an equals sign. */
export function perfLabel(label: string): string {
  return label.replaceAll("'", '').replaceAll('=', '_').replaceAll('|', '_');
}

/** The bar starts the performance data, a line break ends the line: neither may come from a sentence. */
export function oneLine(text: string): string {
  return text.replaceAll('|', '/').replaceAll(/\s+/g, ' ');
}

const VERDICTS = ['healthy', 'degraded', 'unhealthy', 'recovering', 'unknown'] as const;

/** Prometheus text format. What is unknown has no `up` sample and no latency: absent, not 0. */
export function healthPrometheus(document: HealthDocument): string {
  const fleet = document.fleet;
  const endpoints = placed(document);
  const labels = ({region, endpoint}: Placed) => ({fleet, region, endpoint: endpoint.endpoint, probe: endpoint.probe});
  return [
    ...metric(
      'regionctl_region_verdict',
      'Verdict of a region: 1 for the one that holds, 0 for the others.',
      document.regions.flatMap(({region, verdict}) =>
        VERDICTS.map((word) => sample({fleet, region, verdict: word}, word === verdict ? 1 : 0)),
      ),
    ),
    ...metric(
      'regionctl_region_since_timestamp_seconds',
      'When the present verdict of a region began.',
      document.regions.map(({region, since}) => sample({fleet, region}, Date.parse(since) / 1000)),
    ),
    ...metric(
      'regionctl_endpoint_up',
      'Whether an endpoint answered as expected; absent when that is unknown.',
      endpoints
        .filter(({endpoint}) => endpoint.verdict !== 'unknown')
        .map((at) => sample(labels(at), at.endpoint.verdict === 'unhealthy' ? 0 : 1)),
    ),
    ...metric(
      'regionctl_endpoint_latency_seconds',
      'Latency of the last answer of an endpoint.',
      endpoints.flatMap((at) => (at.endpoint.latencyMs === null ? [] : [sample(labels(at), at.endpoint.latencyMs / 1000)])),
    ),
    ...metric('regionctl_health_check_timestamp_seconds', 'When the fleet was checked.', [sample({fleet}, Date.parse(document.at) / 1000)]),
    '',
  ].join('\n');
}

function metric(name: string, help: string, samples: readonly string[]): string[] {
  if (samples.length === 0) return [];
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...samples.map((line) => `${name}${line}`)];
}

function sample(labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([name, text]) => `${name}="${escapeLabel(text)}"`);
  return `{${pairs.join(',')}} ${value}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** JUnit XML: a suite per region, a case per endpoint and one for the region itself. Unknown is an error, anything less than healthy a failure. */
export function healthJunit(document: HealthDocument): string {
  const suites = document.regions.map(junitSuite);
  const cases = suites.flatMap((suite) => suite.cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name=${quoted(`regionctl health ${document.fleet}`)} ${totals(cases)}>`,
    ...suites.map(({open, cases: own}) =>
      [`${open} ${totals(own)} timestamp=${quoted(document.at)}>`, ...own.map((one) => one.xml), '  </testsuite>'].join('\n'),
    ),
    '</testsuites>',
    '',
  ].join('\n');
}

type Case = {readonly outcome: 'pass' | 'failure' | 'error'; readonly xml: string};

function junitSuite(region: HealthRegion): {open: string; cases: Case[]} {
  const own = {name: 'region', latencyMs: null, verdict: region.verdict, code: region.code, says: region.reason};
  const rest = region.endpoints.map(({endpoint, latencyMs, verdict, code, detail}) => ({
    name: endpoint,
    latencyMs,
    verdict,
    code,
    says: detail,
  }));
  return {open: `  <testsuite name=${quoted(region.region)}`, cases: [own, ...rest].map((one) => junitCase(region.region, one))};
}

function junitCase(region: string, one: {name: string; latencyMs: number | null; verdict: string; code: string; says: string}): Case {
  // What was not measured has no time, rather than a time of 0.
  const time = one.latencyMs === null ? '' : ` time="${one.latencyMs / 1000}"`;
  const open = `    <testcase classname=${quoted(region)} name=${quoted(one.name)}${time}`;
  if (one.verdict === 'healthy') return {outcome: 'pass', xml: `${open}/>`};
  const outcome = one.verdict === 'unknown' ? 'error' : 'failure';
  return {outcome, xml: `${open}><${outcome} type=${quoted(one.code)} message=${quoted(`${one.verdict}: ${one.says}`)}/></testcase>`};
}

function totals(cases: readonly Case[]): string {
  const count = (outcome: Case['outcome']) => cases.filter((one) => one.outcome === outcome).length;
  return `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}"`;
}

function placed(document: HealthDocument): Placed[] {
  return document.regions.flatMap(({region, endpoints}) => endpoints.map((endpoint) => ({region, endpoint})));
}

/** A line for each endpoint, then one for each region, then one for the fleet: each says what it is in `type`. */
export function healthNdjson({regions, ...fleet}: HealthDocument): string {
  const lines = [
    ...regions.flatMap(({region, endpoints}) => endpoints.map((endpoint) => ({type: 'endpoint', region, ...endpoint}))),
    ...regions.map(({endpoints, ...region}) => ({type: 'region', ...region, endpoints: endpoints.length})),
    {type: 'fleet', ...fleet, regions: regions.length},
  ];
  return lines.map((line) => JSON.stringify(line)).join('\n');
}
