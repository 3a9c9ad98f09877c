// Makes a picture of a terminal: node scripts/picture.ts [input.ansi] output.svg [--title TEXT] [--columns N] [--until TEXT]
// The input is text with its colours, or a capture of script(1); without one, or with "-", standard input. --until takes the last frame
// of a capture that holds the text.
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {parseArgs} from 'node:util';
import {ansiToSvg} from './ansi-svg.ts';

const text = {type: 'string'} as const;
const {values, positionals} = parseArgs({
  allowPositionals: true,
  options: {title: {...text, default: 'regionctl'}, columns: text, until: text},
});
const [input = '-', output] = positionals.length === 1 ? ['-', positionals[0]] : positionals;
if (output === undefined) {
  console.error('usage: node scripts/picture.ts [input.ansi] output.svg [--title TEXT] [--columns N] [--until TEXT]');
  process.exitCode = 64;
} else {
  const {title, columns, until} = values;
  const captured = readFileSync(input === '-' ? 0 : input, 'utf8');
  const svg = ansiToSvg(captured, {
    title,
    ...(columns === undefined ? {} : {columns: Number(columns)}),
    ...(until === undefined ? {} : {until}),
  });
  mkdirSync(dirname(output), {recursive: true});
  writeFileSync(output, svg);
}
