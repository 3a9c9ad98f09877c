import {createHash} from 'node:crypto';
import {bytesOf, type Kind, listOf} from './content.ts';
import {keyText} from './key-text.ts';
import type {Row} from './reading.ts';
import type {Value} from './replies.ts';

/** A text longer than this stands for itself by its digest. */
const LONGEST_SHOWN = 8192;

/**
 * A value as one text: a string as keys are written; lists as JSON arrays, hashes as JSON objects, sets as sorted arrays, sorted sets as arrays of member
 * and score, streams as arrays of id and fields; texts in them as keys are written. `whole` = however long it is.
 */
export function printValue({kind, content, value}: Row, whole: boolean): string {
  const text = value === null ? null : PRINT[kind](value);
  if (text !== null && (whole || text.length <= LONGEST_SHOWN)) return text;
  const digest = createHash('sha256').update(kind).update(content.bytes).digest('hex');
  return `sha256:${digest} of ${content.length} ${kind === 'string' ? 'bytes' : 'elements'}`;
}

const textOf = (value: Value | undefined): string => keyText(bytesOf(value));
const all = (pages: readonly Value[]): readonly Value[] => pages.flatMap((page) => listOf(page));

/** Pages may name an element twice where it is in no order. */
const PRINT: Readonly<Record<Kind, (pages: readonly Value[]) => string>> = {
  string: (pages) => keyText(Buffer.concat(pages.map(bytesOf))),
  list: (pages) => JSON.stringify(all(pages).map(textOf)),
  hash: (pages) => JSON.stringify(Object.fromEntries(sortedPairs(pages))),
  set: (pages) => JSON.stringify([...new Set(all(pages).map(textOf))].toSorted()),
  zset: (pages) => JSON.stringify(sortedPairs(pages).map(([member, score]) => [member, String(Number(score.replace('inf', 'Infinity')))])),
  stream: (pages) => JSON.stringify(all(pages).map((entry) => [textOf(listOf(entry)[0]), pairsOf(listOf(entry)[1] ?? null)])),
};

function pairsOf(value: Value): readonly (readonly [string, string])[] {
  if (value === null) return [];
  const texts = listOf(value).map(textOf);
  return texts.flatMap((text, index) => (index % 2 === 0 ? [[text, texts[index + 1] ?? ''] as const] : []));
}

const sortedPairs = (pages: readonly Value[]): readonly (readonly [string, string])[] =>
  [...new Map(pages.flatMap(pairsOf))].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
