import {inTime} from '../../awake.ts';
import type {Place} from './connect.ts';

/** So long what a connection needs from this machine is waited for, in ms. A program that reveals a password may take longer; it is met again when it is needed. */
const READY_MS = 3000;

let loaded = false;

/** Whether this process has all that it takes to ask a server: then it can be asked at once. */
export const isReady = (): boolean => loaded;

/**
 * Loads the driver and asks for the password and the certificates once, in the first moments of a process. On a machine that is short of processors
 * that takes longer than a server may take to answer, and none of it is the server's time. Never throws: connecting says what is missing.
 */
export async function getReady({password, secure}: Pick<Place, 'password' | 'secure'>): Promise<void> {
  if (loaded) return;
  const needs = Promise.allSettled([import('pg'), password(), secure?.()]);
  await inTime(needs, READY_MS).catch(() => undefined);
  loaded = true;
}
