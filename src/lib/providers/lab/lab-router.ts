import {unavailable} from '../../errors.ts';
import type {Router} from '../../ports/router.ts';
import {askPeer, boundsOf, type LabPeer} from './control.ts';
import {memberOf} from './http.ts';

const ASK_MS = 3000;
const PATH = '/routes/front-door';

/** The lab's front door: weights per region, and the cutting of what is under way. */
export function labRouter(peer: LabPeer): Router & Required<Pick<Router, 'cut'>> {
  return {
    async read(signal) {
      return weightsOf(peer, await askPeer(peer, {method: 'GET', path: PATH}, {deadlineMs: ASK_MS, signal}));
    },
    async write(ctx, weights) {
      await askPeer(peer, {method: 'PUT', path: PATH, body: {weights}}, boundsOf(ctx, ASK_MS));
    },
    async cut(ctx, region) {
      const answer = await askPeer(peer, {method: 'POST', path: `${PATH}/cut`, body: {region}}, boundsOf(ctx, ASK_MS));
      return Number(memberOf(answer, 'cut') ?? 0);
    },
  };
}

function weightsOf(peer: LabPeer, answer: unknown): Record<string, number> {
  const weights = memberOf(answer, 'weights');
  if (typeof weights !== 'object' || weights === null) throw unavailable('bad-answer', `${peer.who} answered no weights`);
  return Object.fromEntries(Object.entries(weights).map(([region, weight]) => [region, Number(weight)]));
}
