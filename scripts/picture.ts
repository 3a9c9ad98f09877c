// Makes a picture of a terminal from captured text with its colours: node scripts/picture.ts input.ansi docs/img/drill.svg --title "…"
// Without an input file, or with "-", it reads standard input.
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {parseArgs} from 'node:util';
import {ansiToSvg} from './ansi-svg.ts';

const {values, positionals} = parseArgs({
  allowPositionals: true,
  options: {title: {type: 'string', default: 'regionctl'}, columns: {type: 'string'}},
});
const [input = '-', output] = positionals.length === 1 ? ['-', positionals[0]] : positionals;
if (output === undefined) {
  console.error('usage: node scripts/picture.ts [input.ansi] output.svg [--title TEXT] [--columns N]');
  process.exitCode = 64;
} else {
  const text = readFileSync(input === '-' ? 0 : input, 'utf8');
  mkdirSync(dirname(output), {recursive: true});
  writeFileSync(output, ansiToSvg(text, {title: values.title, ...(values.columns === undefined ? {} : {columns: Number(values.columns)})}));
}
