import type {DrillDocument} from '../drill/report.ts';
import {cleanText} from './clean.ts';
import {drillFacts} from './drill-facts.ts';
import {objectivesSaid, tookMs, verdictSaid} from './drill-words.ts';
import {xmlQuoted, xmlText} from './xml.ts';

type Outcome = 'pass' | 'failure' | 'error' | 'skipped';
type Case = {
  readonly group: string;
  readonly name: string;
  readonly outcome: Outcome;
  readonly type: string;
  readonly says: string;
  readonly ms: number | null;
};

/**
 * The report as JUnit XML: one suite, with a case for the verdict, each objective, each check of the steady state and each fault. What failed is a
 * failure, what could not be measured an error, and what a drill that was not started did not come to is skipped.
 */
export function drillJunit(report: DrillDocument): string {
  const cases = [verdictCase(report), ...objectiveCases(report), ...steadyCases(report), ...faultCases(report)];
  const name = cleanText(report.drill ?? report.runId);
  const counts = totals(cases, tookMs(report));
  const stamp = report.startedAt === null ? '' : ` timestamp=${xmlQuoted(new Date(report.startedAt).toISOString().slice(0, 19))}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name=${xmlQuoted(`regionctl drill ${name}`)} ${counts}>`,
    `  <testsuite name=${xmlQuoted(name)} ${counts} skipped="${numberOf(cases, 'skipped')}"${stamp}>`,
    '    <properties>',
    ...drillFacts(report).map(({name: key, value}) => `      <property name=${quoted(key.toLowerCase())} value=${quoted(value)}/>`),
    '    </properties>',
    ...cases.map((one) => caseXml(name, one)),
    ...systemOut(report),
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function verdictCase(report: DrillDocument): Case {
  const {verdict, verdictCode, verdictReason} = report;
  const outcome = verdict === 'passed' ? 'pass' : verdict === 'failed' ? 'failure' : 'error';
  return {
    group: 'verdict',
    name: 'the drill passed',
    outcome,
    type: verdictCode,
    says: `${verdictSaid(report).text}: ${verdictReason}`,
    ms: tookMs(report),
  };
}

function objectiveCases(report: DrillDocument): Case[] {
  return objectivesSaid(report).map(({name, target, measured, met, measuredValue}): Case => {
    const isTime = !name.startsWith('Error rate');
    return {
      group: 'objectives',
      name: `${name}: ${target}`,
      outcome: outcomeOf(report, met),
      type: met === null ? 'not-measured' : 'objective-missed',
      says: met === null ? 'it was not measured' : `${measured} instead of ${target}`,
      ms: isTime ? measuredValue : null,
    };
  });
}

function steadyCases(report: DrillDocument): Case[] {
  return (['before', 'after'] as const).flatMap((when) => {
    const row = report.steadyState[when];
    const group = `steady state ${when}`;
    if (row === null)
      return [
        {group, name: 'the steady state', outcome: outcomeOf(report, null), type: 'not-measured', says: 'it was not looked at', ms: null},
      ];
    return row.checks.map(({check, holds, says}): Case => {
      const outcome = holds === null ? 'error' : holds ? 'pass' : 'failure';
      return {group, name: check, outcome, type: holds === null ? 'not-measured' : 'not-steady', says, ms: null};
    });
  });
}

function faultCases({faults}: DrillDocument): Case[] {
  return faults.map(
    ({fault, region, injectedAt, healedAt, provenHealed, proof}): Case => ({
      group: 'faults',
      name: `${fault} on ${region} is proven healed`,
      outcome: provenHealed ? 'pass' : 'failure',
      type: 'not-healed',
      says: proof ?? 'nothing proves that it has ended',
      ms: tookMs({startedAt: injectedAt, endedAt: healedAt}),
    }),
  );
}

/** Null = not measured: an error, unless the drill never began. */
function outcomeOf({verdictCode}: DrillDocument, met: boolean | null): Outcome {
  if (met === null) return verdictCode === 'not-started' ? 'skipped' : 'error';
  return met ? 'pass' : 'failure';
}

function caseXml(suite: string, {group, name, outcome, type, says, ms}: Case): string {
  const open = `    <testcase classname=${quoted(`${suite}.${group}`)} name=${quoted(name)}${ms === null ? '' : ` time="${seconds(ms)}"`}`;
  if (outcome === 'pass') return `${open}/>`;
  if (outcome === 'skipped') return `${open}><skipped message=${quoted(says)}/></testcase>`;
  return `${open}><${outcome} type=${quoted(type)} message=${quoted(says)}>${xmlText(cleanText(says))}</${outcome}></testcase>`;
}

function systemOut({surprises}: DrillDocument): string[] {
  return surprises.length === 0 ? [] : [`    <system-out>${surprises.map((one) => xmlText(cleanText(one))).join('\n')}</system-out>`];
}

/** Without what was not measured: no time is no time of 0. */
function totals(cases: readonly Case[], ms: number | null): string {
  const time = ms === null ? '' : ` time="${seconds(ms)}"`;
  return `tests="${cases.length}" failures="${numberOf(cases, 'failure')}" errors="${numberOf(cases, 'error')}"${time}`;
}

function numberOf(cases: readonly Case[], outcome: Outcome): number {
  return cases.filter((one) => one.outcome === outcome).length;
}

/** Without an exponent, which XML decimals do not have. */
function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function quoted(text: string): string {
  return xmlQuoted(cleanText(text));
}
