import {PLAIN} from '../src/lib/output/text-width.ts';

const EXPORT = 'export default function stringWidth(';

/**
 * string-width so that what knows of emoji and of scripts is made when a text first needs it: its expressions cost 50 ms of a start, and what a view shows first
 * is letters, lines and signs of one column each. Answers as string-width does. Throws when string-width is written otherwise than it was.
 */
export function lightWidth(code: string, id: string): string {
  const end = code.lastIndexOf('\nimport ');
  const begin = code.indexOf('\n', end + 1) + 1;
  if (end < 0 && !code.startsWith('import ')) throw new Error(`${id} imports nothing any more`);
  if (code.split('export ').length !== 2 || !code.includes(EXPORT)) throw new Error(`${id} has no ${EXPORT} any more, or more than that`);
  return `${code.slice(0, begin)}
let whole;
const make = () => {
${code.slice(begin).replace(EXPORT, 'return function stringWidth(')}
};
const PLAIN = ${String(PLAIN)};
export default function stringWidth(input, options) {
  if (options === undefined && typeof input === 'string') {
    const text = input.includes('\\u001B') ? stripAnsi(input) : input;
    if (PLAIN.test(text)) return text.length;
  }
  whole ??= make();
  return whole(input, options);
}
`;
}
