import type * as Http from 'node:http';
import type * as Https from 'node:https';

/**
 * What node:http and node:https have in common. Not by `import`: that reads each name that they export, and one of these loads an HTTP client and a WebSocket
 * that nobody here needs, for 25 ms and some megabytes.
 */
export type HttpModule = Pick<typeof Http, 'Agent' | 'get' | 'request'>;

/** The one for `https:` URLs, or the other. */
export function httpModule(secure: boolean): HttpModule {
  return (secure ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http')) as typeof Http & typeof Https;
}
