import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {messageOf, usageError} from './errors.ts';
import {readAtMost} from './read-at-most.ts';

const CHUNK_BYTES = 262_144;
/** A pipe is taken whole, and no more of it than this. */
const LARGEST_PIPE_BYTES = 256 * 1024 * 1024;
/** No row is longer where nobody says otherwise: a file without line ends is no CSV. */
const LONGEST_LINE = 65_536;

/**
 * The lines of a text file in batches, without line ends, so that a file of any length takes little memory. Throws a usage error (64) for one that cannot
 * be read or has a line of more than `longest` characters (default 65,536), and the reason of `signal` when that is aborted.
 */
export async function* linesOf(
  file: string,
  {signal, longest = LONGEST_LINE}: {readonly signal?: AbortSignal; readonly longest?: number} = {},
): AsyncGenerator<readonly string[]> {
  let rest = '';
  let line = 0;
  let isFirst = true;
  for await (const chunk of chunksOf(file)) {
    signal?.throwIfAborted();
    const lines = `${rest}${isFirst ? chunk.replace(/^\uFEFF/u, '') : chunk}`.split('\n');
    isFirst = false;
    rest = lines.pop() ?? '';
    line += lines.length;
    if (rest.length > longest)
      throw usageError(`${file}, line ${line + 1}: more than ${longest.toLocaleString('en-US')} characters are no row`, {
        suggestions: ['Check that it is a CSV file with one row in each line.'],
      });
    yield lines.map(withoutReturn);
  }
  if (rest !== '') yield [withoutReturn(rest)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

async function* chunksOf(file: string): AsyncGenerator<string> {
  try {
    // A pipe that nobody opens for writing would keep a stream, and the process, for ever.
    if (!(await stat(file)).isFile()) yield await pipeText(file);
    else for await (const chunk of createReadStream(file, {encoding: 'utf8', highWaterMark: CHUNK_BYTES})) yield chunk as string;
  } catch (error) {
    throw usageError(`${file} cannot be read: ${whyOf(error)}`, {suggestions: ['Check the path and its permissions.'], cause: error});
  }
}

function whyOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT') return 'there is no such file';
  return code === 'EACCES' ? 'permission denied' : messageOf(error);
}

async function pipeText(file: string): Promise<string> {
  const bytes = await readAtMost(file, LARGEST_PIPE_BYTES + 1);
  if (bytes.length > LARGEST_PIPE_BYTES) throw new Error(`a pipe may give at most ${LARGEST_PIPE_BYTES} bytes: save it to a file first`);
  return bytes.toString('utf8');
}
