import {messageOf, refused} from '../../errors.ts';
import type {Json} from '../../plan/json.ts';
import type {Abilities} from '../../ports/store.ts';
import {type Cluster, nodeOf} from './cluster.ts';
import {endClient, openClient} from './connect.ts';
import {placeError} from './session.ts';
import {codeOf} from './trouble.ts';

const CONNECT_MS = 1000;
const QUERY_MS = 5000;
/** It is wrong as it is written, writes, or is not permitted: asking again changes nothing. */
const FOR_GOOD = /^(42...|25006|0A000)$/;

/** One value by one query, in a session of its own that can write nothing: a check must never be the reason for a lock or a change. */
export function createScalar(cluster: Cluster): Abilities['scalar'] {
  return {
    scalar: async (member, query, signal) => {
      signal.throwIfAborted();
      const {place} = nodeOf(cluster, member);
      try {
        const client = await openClient(place, CONNECT_MS, () => undefined, QUERY_MS);
        try {
          await client.query(`begin transaction read only; set local lock_timeout = '500ms'`);
          // The extended protocol takes one statement only, whatever the text says.
          const {rows} = await client.query({
            text: query,
            values: [],
            rowMode: 'array',
            queryMode: 'extended',
            query_timeout: QUERY_MS,
          } as Query);
          return toJson((rows as unknown[][])[0]?.[0]);
        } finally {
          await endClient(client);
        }
      } catch (error) {
        if (FOR_GOOD.test(codeOf(error)))
          throw refused('bad-query', `${place.label} refuses the query: ${messageOf(error)}`, {cause: error});
        throw placeError(place, error);
      }
    },
  };
}

type Query = {text: string; values: unknown[]; rowMode: 'array'};

/** 64-bit numbers come as text and stay exact. */
function toJson(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  return value instanceof Date ? value.toISOString() : String(value);
}
