import type {Paint} from '../lib/output/paint.ts';
import {table} from '../lib/output/table.ts';
import type {ActiveFault} from './faults.ts';
import type {LabStatus, RegionStatus} from './lab-status.ts';

/** `lab status` for people, no wider than `columns`. */
export function labStatusText(status: LabStatus, {paint, columns, now}: {paint: Paint; columns: number; now: number}): string {
  const titles = ['REGION', 'ROLE', 'STATE', 'HTTP', 'POSTGRES', 'PROCESSES'].map((title) => ({title}));
  const rows = status.regions.map(({region, role, state, http, postgres, pids}) => {
    return [region, role ?? '-', {text: state, paint: stateColour(state, paint)}, http, postgres, String(pids.length)];
  });
  return [...table(titles, rows, columns), '', ...faultLines(status, now), ...footer(status, paint)].join('\n');
}

function stateColour(state: RegionStatus['state'], paint: Paint): (text: string) => string {
  if (state === 'running') return paint.good;
  return state === 'stopped' ? paint.critical : paint.warning;
}

function faultLines({faults}: LabStatus, now: number): readonly string[] {
  if (faults === null) return ['Faults: unknown, the supervisor does not answer'];
  if (faults.length === 0) return ['Faults: none'];
  return faults.map(
    (fault) => `Fault: ${faultText(fault)}, ends by itself in ${Math.max(0, Math.round((Date.parse(fault.endsAt) - now) / 1000))} s`,
  );
}

function faultText({region, kind, args}: ActiveFault): string {
  const words = Object.entries(args).map(([name, value]) => `${name}=${value}`);
  return [`${kind} of ${region}`, ...words].join(' ');
}

function footer(status: LabStatus, paint: Paint): readonly string[] {
  const {supervisor} = status;
  return [
    `Front door: ${status.frontDoor ?? 'not open'}`,
    `Fleet file: ${status.fleetFile}`,
    `Profile: ${status.profile}, ${status.mode}, PostgreSQL ${status.postgres}`,
    supervisor.running
      ? `Supervisor: ${supervisor.pid}`
      : paint.critical(`Supervisor: ${supervisor.pid} is dead; regionctl lab down --dir ${status.dir} ends the rest`),
  ];
}
