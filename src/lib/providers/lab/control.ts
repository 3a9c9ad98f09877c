import type {SecretRef, SecretVault} from '../../fleet/secrets.ts';
import type {Ctx} from '../../plan/action.ts';
import {callLab, type LabCall} from './http.ts';

/** Where a lab's interface is, and who may use it. `unreachable` and `who` are for the errors. */
export type LabPeer = {
  readonly url: string;
  readonly token: SecretRef;
  readonly secrets: SecretVault;
  readonly unreachable: string;
  readonly who: string;
};

/** How one call is bounded: by its own deadline and by the signal, whichever is first. */
export type Bounds = {readonly deadlineMs: number; readonly signal: AbortSignal};

/** What a call says. */
export type Question = Pick<LabCall, 'method' | 'path' | 'body'>;

/** One call to a lab, with its token revealed for this call only. */
export async function askPeer(peer: LabPeer, question: Question, bounds: Bounds): Promise<unknown> {
  const {url, unreachable, who} = peer;
  return callLab({...question, ...bounds, url, unreachable, who, token: await peer.secrets.reveal(peer.token)});
}

/** The bounds of a call within an effect: never past the effect's own deadline. */
export function boundsOf(ctx: Ctx, deadlineMs: number): Bounds {
  const left = Math.min(deadlineMs, ctx.deadline - ctx.now());
  return {deadlineMs: Math.max(1, Math.floor(Number.isFinite(left) ? left : deadlineMs)), signal: ctx.signal};
}
