import type {Finding} from '../../ports/finding.ts';
import type {Ensemble} from './ensemble.ts';
import {judgeCandidate} from './fit-candidate.ts';
import {judgeCluster} from './fit-cluster.ts';
import {judgeLeader} from './fit-leader.ts';
import {type Move, type Picture, takePicture} from './fit-picture.ts';

/** What speaks against a handover now, by what Patroni, the servers and their hosts say. Reads only. */
export async function fitness(ensemble: Ensemble, move: Move, signal: AbortSignal): Promise<readonly Finding[]> {
  return judgeFit(await takePicture(ensemble, signal), move);
}

/** Judges a picture: one finding for each thing that is wrong, and one that passes when no error was found. */
export function judgeFit(picture: Picture, move: Move): readonly Finding[] {
  const {view, config, store} = picture;
  if (!view.ok) return [{check: `${store} patroni`, verdict: 'unknown', says: view.says, fix: null}];
  if (!config.ok) return [{check: `${store} patroni`, verdict: 'unknown', says: config.says, fix: null}];
  const target = picture.servers[move.to];
  if (view.value.leader === move.to && target?.ok === true && !target.value.recovering) {
    return [
      {check: `${store} patroni`, verdict: 'pass', says: `Patroni has made ${move.to} the leader already`, fix: null, member: move.to},
    ];
  }
  const seen = {...picture, view: view.value, config: config.value};
  const findings = [...judgeCluster(seen, move), ...judgeLeader(seen, move), ...judgeCandidate(seen, move)];
  return findings.some(({verdict}) => verdict === 'error') ? findings : [passed(picture, move), ...findings];
}

function passed({store, versions}: Picture, {to, planned}: Move): Finding {
  const says = `Patroni ${versions[to] ?? 'of an unknown version'} can ${planned ? 'hand over' : 'fail over'} to ${to}`;
  return {check: `${store} patroni`, verdict: 'pass', says, fix: null, member: to};
}
