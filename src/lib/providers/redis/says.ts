import {formatBytes, formatMs} from '../../output/units.ts';
import type {Info} from './info.ts';
import type {UpstreamLink} from './replication.ts';

/** Half a sentence that follows the member's name. */
export function loadingSays({percent, leftMs}: NonNullable<Info['loading']>): string {
  const far = percent === null ? '' : `: ${percent} % are done`;
  return `is loading its data${far}${leftMs === null ? '' : `, ${formatMs(leftMs)} to go`}`;
}

/** How far a full copy is, as half a sentence; '' when nothing is known of it. */
export function copySays(copying: UpstreamLink['copying']): string {
  if (copying === null) return '';
  const {percent, leftBytes, readBytes} = copying;
  if (percent !== null) return `: ${percent.toFixed(1)} % are there${leftBytes === null ? '' : `, ${formatBytes(leftBytes)} to go`}`;
  return readBytes === null || readBytes === 0 ? '' : `: ${formatBytes(readBytes)} are there, and how much is to come is not known`;
}
