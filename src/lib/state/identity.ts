import {hostname, userInfo} from 'node:os';

/** Who this process is, for records that people read. */
export type Identity = {readonly user: string; readonly host: string; readonly pid: number};

/** The user, host and process id of this process. A user without an entry in the user database is shown by number. */
export function whoAmI(): Identity {
  return {user: userName(), host: hostname(), pid: process.pid};
}

/** An identity as one word, such as `ana@ops1 (pid 4711)`. */
export function identityText({user, host, pid}: Identity): string {
  return `${user}@${host} (pid ${pid})`;
}

/** Behind a shared root account, the person is who became root: approvals need people, not accounts. */
function userName(): string {
  const {SUDO_USER} = process.env;
  if (SUDO_USER !== undefined && SUDO_USER !== '' && process.getuid?.() === 0) return SUDO_USER;
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
