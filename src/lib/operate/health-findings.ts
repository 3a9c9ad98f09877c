import type {Fleet} from '../fleet/fleet.ts';
import {judgeFleet} from '../health/judge.ts';
import type {EndpointJudgement} from '../health/judge-endpoint.ts';
import {type EndpointReading, probeAll} from '../health/sweep.ts';
import type {Finding} from '../ports/finding.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

/** What doctor finds of endpoints, of the vantage points that look at them, and of our own uplinks. Asks each once. */
export async function healthFindings({fleet, probes, uplinks, clock}: OpenFleet, signal: AbortSignal): Promise<readonly Finding[]> {
  const [readings, links] = await Promise.all([
    probeAll({endpoints: probes, uplinks, clock, signal, all: true}),
    Promise.all(
      uplinks.map(async (uplink) => ({
        uplink,
        result: await uplink.probe.check(AbortSignal.any([signal, AbortSignal.timeout(uplink.timeoutMs + 500)])),
      })),
    ),
  ]);
  return [
    ...judgeFleet(fleet, readings).regions.flatMap(({region, endpoints}) => endpoints.map((endpoint) => endpointFinding(region, endpoint))),
    ...fleet.vantages.map(({name}) => vantageFinding(name, readings)),
    ...votesFinding(fleet),
    ...links.map(({uplink: {name}, result}): Finding => {
      const check = `uplink ${name}`;
      if (result.ok === true) return {check, verdict: 'pass', says: result.detail, fix: null};
      return {check, verdict: 'warning', says: result.detail, fix: 'name something that answers as long as this machine is not cut off'};
    }),
  ];
}

function endpointFinding(region: string, {reading, verdict, reason}: EndpointJudgement): Finding {
  const check = `endpoint ${region}/${reading.endpoint.name}`;
  if (verdict === 'healthy') return {check, verdict: 'pass', says: reason, fix: null};
  if (verdict === 'degraded')
    return {check, verdict: 'warning', says: reason, fix: 'mend what it warns of, or change the limit in the fleet file'};
  const fix = 'check its address in the fleet file, or bring it up';
  return {check, verdict: verdict === 'unknown' ? 'unknown' : 'warning', says: reason, fix};
}

/** A vantage point that can tell of nothing is none. */
function vantageFinding(name: string, readings: readonly EndpointReading[]): Finding {
  const check = `vantage ${name}`;
  const views = readings.flatMap(({others = []}) => others.filter(({vantage}) => vantage === name));
  const [first] = views;
  if (first === undefined)
    return {
      check,
      verdict: 'warning',
      says: 'it looks at no endpoint',
      fix: 'let endpoints with an address name it in vantages, or take it out',
    };
  const mute = views.filter(({result}) => result.ok === null);
  const says = `it looks at ${views.length} endpoint${views.length === 1 ? '' : 's'}`;
  if (mute.length === 0) return {check, verdict: 'pass', says, fix: null};
  const why = mute[0]?.result.detail ?? '';
  return {
    check,
    verdict: 'warning',
    says: `${says} and cannot tell of ${mute.length}: ${why}`,
    fix: 'check its url and modules in the fleet file, and bring it up',
  };
}

/** With an even number of votes half of them can stand against the other half. */
function votesFinding({vantages}: Fleet): readonly Finding[] {
  if (vantages.length === 0) return [];
  const votes = 1 + new Set(vantages.map(({name, region}) => region ?? `vantage ${name}`)).size;
  const check = 'vantage points';
  if (votes % 2 === 1) return [{check, verdict: 'pass', says: `${votes} votes, of which ${(votes + 1) / 2} decide`, fix: null}];
  const says = `${votes} votes (this machine's included): where they are split evenly nothing is known`;
  return [{check, verdict: 'warning', says, fix: 'add a vantage point in another region, so that the number of votes is odd'}];
}
