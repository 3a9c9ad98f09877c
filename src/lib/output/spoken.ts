const WORDS: readonly (readonly [RegExp, string])[] = [
  [/ → /gu, ' to '],
  [/≤ ?/gu, 'at most '],
  [/~(?=\d)/gu, 'about '],
  [/(?<=^|\s)–(?=$|[\s,;:])/gu, 'not known'],
  [/ · /gu, ', '],
];

/** A line as a screen reader says it best: words for signs that it reads out by their names, or leaves out. */
export function spoken(line: string): string {
  return WORDS.reduce((text, [sign, word]) => text.replaceAll(sign, word), line);
}
