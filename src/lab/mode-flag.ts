import {usageError} from '../lib/errors.ts';
import type {LabMode} from './record.ts';

/** What `--mode` takes. Apart from the rest of the lab: the command's flags are read when regionctl starts. */
export const LAB_MODES = ['quorum', 'async', 'active-active'] as const satisfies readonly LabMode[];

/** The mode that two flags ask for; neither = quorum. Throws UsageError when they contradict each other. */
export function modeOf(mode: LabMode | undefined, asynchronous: boolean): LabMode {
  if (asynchronous && mode !== undefined && mode !== 'async') throw usageError(`--async is --mode async, which contradicts --mode ${mode}`);
  return mode ?? (asynchronous ? 'async' : 'quorum');
}
