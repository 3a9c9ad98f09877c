import type {Json} from '../../plan/json.ts';
import type {ProbeResult} from '../../ports/probe.ts';
import type {Answer, AnswerBody} from './call.ts';
import type {HttpTarget} from './http-probe.ts';

/** Of an answer's body no more than this is read. */
const TEXT_LIMIT = 64 * 1024;
/** JSON has to be read to its end. */
const JSON_LIMIT = 1024 * 1024;
/** What was found instead is shown up to here. */
const SHOWN = 60;

type Said = {readonly ok: boolean; readonly code: string; readonly detail: string};

/** `asked` is the beginning of the sentence; `scrub` takes secrets out of what the answer says. */
type How = {readonly asked: string; readonly scrub: (text: string) => string};

/** Judged by status first, then by headers, then by body. */
export async function judgeAnswer(
  response: Answer,
  target: HttpTarget,
  how: How,
): Promise<Pick<ProbeResult, 'code' | 'detail'> & {readonly ok: boolean}> {
  const {expectStatus, expectText, expectJson = {}} = target;
  const {asked} = how;
  if (response.statusCode !== expectStatus) return {ok: false, code: 'unexpected-status', detail: `${asked}, expected ${expectStatus}`};
  const header = wrongHeader(response, target, how);
  if (header !== null) return {ok: false, code: 'unexpected-header', detail: `${asked}, but ${header}`};
  const whole = Object.keys(expectJson).length > 0;
  const body = await readBody(response.body, whole ? null : expectText, whole ? JSON_LIMIT : TEXT_LIMIT);
  if (expectText !== null && !body.includes(expectText)) {
    const detail = `${asked}, but its first ${body.length} bytes do not hold ${JSON.stringify(expectText)}`;
    return {ok: false, code: 'unexpected-text', detail};
  }
  return whole ? judgeJson(body, expectJson, how) : {ok: true, code: 'ok', detail: asked};
}

function wrongHeader({headers}: Answer, {expectHeaders = {}}: HttpTarget, {scrub}: How): string | null {
  for (const [name, wanted] of Object.entries(expectHeaders)) {
    const value = headers[name.toLowerCase()];
    const found = Array.isArray(value) ? value.join(', ') : value;
    if (found === undefined) return `it has no header ${name}`;
    if (found !== wanted) return `its header ${name} is ${shown(withoutQuery(found), scrub)}, expected ${shown(wanted, scrub)}`;
  }
  return null;
}

/** Reads to the end, to the wanted text or to the limit, whichever comes first. */
async function readBody(body: AnswerBody, wanted: string | null, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const whole = (): Buffer => (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).subarray(0, limit);
  await body.read((chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    return length >= limit || (wanted !== null && whole().includes(wanted));
  });
  return whole();
}

function judgeJson(body: Buffer, wanted: NonNullable<HttpTarget['expectJson']>, {asked, scrub}: How): Said {
  let parsed: Json;
  try {
    parsed = JSON.parse(body.toString('utf8').replace(/^\uFEFF/, '')) as Json;
  } catch {
    const why = body.length === JSON_LIMIT ? 'it is longer than 1 MiB' : `its ${body.length} bytes are no JSON`;
    return {ok: false, code: 'unexpected-json', detail: `${asked}, but ${why}`};
  }
  for (const [pointer, value] of Object.entries(wanted)) {
    const found = at(parsed, pointer);
    if (found === value) continue;
    const is = found === undefined ? 'there is nothing' : `there is ${shown(found, scrub)}`;
    return {ok: false, code: 'unexpected-json', detail: `${asked}, but ${is} at ${pointer}, expected ${shown(value, scrub)}`};
  }
  return {ok: true, code: 'ok', detail: asked};
}

/** The value at a JSON pointer (RFC 6901); undefined = there is none. */
function at(value: Json, pointer: string): Json | undefined {
  const keys = pointer.split('/').slice(1);
  return keys.reduce<Json | undefined>((inside, key) => {
    if (typeof inside !== 'object' || inside === null) return undefined;
    const name = key.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(inside)) return /^(0|[1-9]\d*)$/.test(name) ? inside[Number(name)] : undefined;
    return Object.hasOwn(inside, name) ? (inside as Readonly<Record<string, Json>>)[name] : undefined;
  }, value);
}

/** A query may hold a token. */
const withoutQuery = (value: string): string => (URL.canParse(value, 'http://a') ? value.replace(/\?.*$/s, '') : value);

function shown(value: Json, scrub: (text: string) => string): string {
  const text = scrub(JSON.stringify(value));
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
