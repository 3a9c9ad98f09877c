import stringWidth from 'string-width';

/** Characters of one column each, and of one unit: what nearly all text of ours is. Measuring it letter by letter costs a tenth of a live view. */
export const PLAIN = /^[ -~\u00A1-\u00AC\u00AE-\u00FF–—…←↑→↓↩≤≥\u2500-\u25FC✓✗]*$/u;
/** Made when it is needed: it takes 12 ms of a start. */
let known: Intl.Segmenter | undefined;
const lettersOf = (text: string): Intl.Segments => {
  known ??= new Intl.Segmenter();
  return known.segment(text);
};

/** How many columns of a terminal text takes: ideographs and emoji take two, marks that join a letter none. */
export const textWidth = (text: string): number => (PLAIN.test(text) ? text.length : stringWidth(text));

/** Blanks behind text until it takes `width` columns. */
export const padRight = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - textWidth(text)));

/** The longest beginning of text, in whole letters, that takes at most `width` columns. */
export function headOf(text: string, width: number): string {
  if (PLAIN.test(text)) return text.slice(0, Math.max(0, width));
  let used = 0;
  let end = 0;
  for (const {segment, index} of lettersOf(text)) {
    used += textWidth(segment);
    if (used > width) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

/** The longest end of text, in whole letters, that takes at most `width` columns. */
export function tailOf(text: string, width: number): string {
  if (PLAIN.test(text)) return width <= 0 ? '' : text.slice(-width);
  let used = 0;
  let begin = text.length;
  for (const {segment, index} of [...lettersOf(text)].reverse()) {
    used += textWidth(segment);
    if (used > width) break;
    begin = index;
  }
  return text.slice(begin);
}
