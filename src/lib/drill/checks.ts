import {unavailable} from '../errors.ts';
import type {Answer, Check} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Clock} from '../ports/clock.ts';
import type {Fault} from '../ports/fault.ts';
import type {Witness} from '../witness/witness.ts';
import type {Senses} from './senses.ts';
import {abortCheckOf, steadyCheckOf} from './steady.ts';

type Deps = {readonly faults: Fault | null; readonly senses: Senses; readonly clock: Clock};

/* A stream that was acknowledged this recently is writable; longer ago, the service is asked. */
const RECENT_MS = 1000;

/** `fault.active` (want: the kinds, `[]` = none), `service.writable` (want: true, false, or `now` = true, and a write of a moment ago is no answer), `region.verdict` (want: a verdict or a list of them), `witness.running` (in this process), `fleet.steady` and `drill.abort`. */
export function drillChecks(deps: Deps, witness: () => Witness | null): readonly Check[] {
  return [
    faultActive(deps),
    serviceWritable(deps, witness),
    regionVerdict(deps),
    witnessRunning(witness),
    steadyCheckOf(deps),
    abortCheckOf(deps),
  ];
}

function faultActive({faults}: Deps): Check {
  return {
    name: 'fault.active',
    async ask({signal}, {region = ''}, want) {
      if (faults === null) throw unavailable('no-faults', 'the fleet file has no part "faults"');
      const cell = await faults.active(region, signal);
      if (!cell.known) return cannotTell(`it is not known whether a fault is active on ${region}: ${cell.reason}`);
      const wanted = listOf(want);
      const holds = JSON.stringify(cell.value.toSorted()) === JSON.stringify(wanted.toSorted());
      return {
        holds,
        measured: [...cell.value],
        says: cell.value.length === 0 ? `no fault is active on ${region}` : `${cell.value.join(', ')} is active on ${region}`,
      };
    },
  };
}

function serviceWritable({senses}: Deps, witness: () => Witness | null): Check {
  return {
    name: 'service.writable',
    async ask({signal}, _target, want): Promise<Answer> {
      const sinceMs = want === 'now' ? null : (witness()?.snapshot().sinceLastAckMs ?? null);
      const seen: Answer | null =
        sinceMs !== null && sinceMs < RECENT_MS
          ? {holds: true, measured: Math.round(sinceMs), says: `a write was acknowledged ${Math.round(sinceMs)} ms ago`}
          : null;
      const answer = seen ?? (await senses.writable(signal));
      return answer.holds === null ? answer : {...answer, holds: answer.holds === (want !== false)};
    },
  };
}

/** On resume another process carries the run: its witness is not running, whatever the journal says. */
function witnessRunning(witness: () => Witness | null): Check {
  return {
    name: 'witness.running',
    async ask(_ctx, _target, want) {
      const running = witness() !== null;
      return {holds: running === (want !== false), measured: running, says: running ? 'the witness writes' : 'the witness does not write'};
    },
  };
}

function regionVerdict({senses}: Deps): Check {
  return {
    name: 'region.verdict',
    async ask({signal}, {region = ''}, want) {
      const cell = await senses.sampleHealth(region, signal);
      if (!cell.known) return cannotTell(`the state of ${region} is not known: ${cell.reason}`);
      const {verdict, reason} = cell.value;
      return {holds: listOf(want).includes(verdict), measured: verdict, says: `${region} is ${verdict}: ${reason}`};
    },
  };
}

function cannotTell(says: string): Answer {
  return {holds: null, measured: null, says};
}

function listOf(want: Json): readonly string[] {
  if (Array.isArray(want)) return want.map(String);
  return want === null || want === false ? [] : [String(want)];
}
