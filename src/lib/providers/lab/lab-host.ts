import type {Host, HostStatus} from '../../ports/host.ts';
import {askPeer, type LabPeer} from './control.ts';
import {memberOf} from './http.ts';

const ASK_MS = 3000;
/** A clean stop waits for standbys that are out of reach; a start replays what is left. */
const CHANGE_MS = 90_000;
const REBUILD_MS = 1_800_000;

/** The agent on the machine of a lab's region. A region that is cut off does not answer: `host-unreachable`. */
export function labHost(peer: LabPeer, member: string): Host {
  const path = `/members/${encodeURIComponent(member)}`;
  return {
    async status(signal): Promise<HostStatus> {
      const answer = await askPeer(peer, {method: 'GET', path}, {deadlineMs: ASK_MS, signal});
      const running = memberOf(answer, 'running');
      return {running: typeof running === 'boolean' ? running : null, detail: String(memberOf(answer, 'detail') ?? 'no detail')};
    },
    async stop(signal) {
      await askPeer(peer, {method: 'POST', path: `${path}/stop`}, {deadlineMs: CHANGE_MS, signal});
    },
    async start(signal) {
      await askPeer(peer, {method: 'POST', path: `${path}/start`, body: {}}, {deadlineMs: CHANGE_MS, signal});
    },
    async startAsStandby(upstream, signal) {
      await askPeer(peer, {method: 'POST', path: `${path}/start`, body: {as: 'standby', upstream}}, {deadlineMs: CHANGE_MS, signal});
    },
    async rebuild(upstream, signal) {
      const answer = await askPeer(peer, {method: 'POST', path: `${path}/rebuild`, body: {upstream}}, {deadlineMs: REBUILD_MS, signal});
      return {bytes: Number(memberOf(answer, 'bytes') ?? 0)};
    },
  };
}
