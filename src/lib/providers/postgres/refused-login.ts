import {destroy, endClient, openClient, type Place} from './connect.ts';
import {codeOf} from './trouble.ts';

/**
 * Whether a new login as another role is turned away by the rules that the server has loaded, not by a missing role or a wrong password.
 * PostgreSQL says so by the routine that refuses, whatever its language. Needs no such role and no secret; leaves one line in the server's log.
 */
export async function loginIsRefused(place: Place, signal: AbortSignal): Promise<boolean> {
  const stranger: Place = {...place, user: 'regionctl_stranger', password: () => Promise.resolve('none')};
  signal.throwIfAborted();
  try {
    const client = await openClient(stranger, 1000, () => undefined);
    await endClient(client).catch(() => destroy(client));
    return false;
  } catch (error) {
    return codeOf(error) === '28000' && error instanceof Error && 'routine' in error && error.routine === 'ClientAuthentication';
  }
}
