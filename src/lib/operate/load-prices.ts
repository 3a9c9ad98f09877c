import {type Prices, pricesOf, pricesSchema} from '../capacity/cost/prices.ts';
import {messageOf, RegionctlError, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {ordered, type Problem, problemsError} from '../fleet/problem.ts';
import {parseSource} from '../fleet/source.ts';
import {check} from '../fleet/wording.ts';
import {readAtMost} from '../read-at-most.ts';

const LARGEST_BYTES = 1024 * 1024;

/** Reads a price file. A file that cannot be read is a usage error (64); one that is wrong is `prices-invalid` (78) with file, line and field of the first problem. */
export async function loadPrices(file: string): Promise<Prices> {
  return readPrices(await textOf(file), file);
}

/** The same from text. */
export function readPrices(text: string, file: string): Prices {
  const {source, problems} = parseSource(text);
  if (source === null) throw invalid(file, problems);
  const {data, findings} = check(pricesSchema, source.raw, {path: [], raw: source.raw});
  if (data === undefined) throw invalid(file, ordered(findings.map(source.place)));
  return pricesOf(data);
}

async function textOf(file: string): Promise<string> {
  const bytes = await readAtMost(file, LARGEST_BYTES + 1).catch((error: unknown) => {
    throw usageError(`the price file ${file} cannot be read: ${messageOf(error)}`, {
      suggestions: ['Name it in capacity.cost.prices, or with --prices.'],
    });
  });
  if (bytes.length > LARGEST_BYTES) throw usageError(`the price file ${file} is larger than ${LARGEST_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch {
    throw usageError(`the price file ${file} is not UTF-8 text`);
  }
}

function invalid(file: string, problems: readonly Problem[]): RegionctlError {
  const {message, suggestions} = problemsError(file, problems, process.cwd());
  return new RegionctlError('prices-invalid', EXIT.fleetInvalid, message, {suggestions: suggestions.slice(0, 1)});
}
