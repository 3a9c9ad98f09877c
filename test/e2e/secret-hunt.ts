import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

/** Where a secret was found. */
export type Find = {readonly secret: string; readonly where: string};

type Needle = {readonly secret: string; readonly bytes: Buffer; readonly plain: boolean};

const PROCESSES_EVERY_MS = 40;

/** Looks for secrets, as they are and in the forms that programs give them, in text, in files and in the process list. */
export class SecretHunt {
  readonly finds: Find[] = [];
  readonly #needles: readonly Needle[];
  readonly #seen = new Set<string>();

  /** `secrets`: values by the name under which a find is told. */
  constructor(secrets: Readonly<Record<string, string>>) {
    this.#needles = Object.entries(secrets).flatMap(([secret, value]) =>
      formsOf(value).map((form) => ({secret, bytes: Buffer.from(form), plain: form === value})),
    );
  }

  text(where: string, text: string): void {
    this.#look(where, Buffer.from(text), false);
  }

  /** Every file below a folder. `plainOnly`: only the secrets as they are, for folders that are large. */
  files(folder: string, {except = () => false, plainOnly = false}: {except?: (path: string) => boolean; plainOnly?: boolean} = {}): number {
    const paths = readdirSync(folder, {recursive: true, encoding: 'utf8'}).map((name) => join(folder, name));
    let read = 0;
    for (const path of paths) {
      const bytes = except(path) ? null : contentOf(path);
      if (bytes === null) continue;
      read += 1;
      this.#look(path, bytes, plainOnly);
    }
    return read;
  }

  /** Arguments and environment of every process of the machine, again and again until the signal. Answers how many different ones it saw. */
  async processes(signal: AbortSignal): Promise<number> {
    while (!signal.aborted) {
      this.#processList();
      await sleep(PROCESSES_EVERY_MS, undefined, {signal}).catch(() => undefined);
    }
    return this.#seen.size;
  }

  #processList(): void {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      for (const part of ['cmdline', 'environ']) {
        const bytes = contentOf(`/proc/${pid}/${part}`);
        if (bytes === null) continue;
        const key = bytes.toString('latin1');
        if (this.#seen.has(key)) continue;
        this.#seen.add(key);
        this.#look(`${part} of ${key.slice(0, 60).replaceAll('\0', ' ')}`, bytes, false);
      }
    }
  }

  #look(where: string, bytes: Buffer, plainOnly: boolean): void {
    for (const {secret, bytes: needle, plain} of this.#needles) {
      if ((plain || !plainOnly) && bytes.includes(needle)) this.finds.push({secret, where});
    }
  }
}

/** As it is, in a URL, in a form, in JSON, and in base64, also inside of a longer text such as `user:password`. */
function formsOf(value: string): readonly string[] {
  const url = encodeURIComponent(value);
  const bytes = Buffer.from(value);
  const base64 = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const sure = text.slice(Math.ceil((before * 4) / 3), Math.floor(((before + bytes.length) * 4) / 3));
    return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [...new Set([value, url, url.replaceAll('%20', '+'), JSON.stringify(value).slice(1, -1), bytes.toString('hex'), ...base64])];
}

/** Null = no file, or gone meanwhile. */
function contentOf(path: string): Buffer | null {
  try {
    return statSync(path).isFile() ? readFileSync(path) : null;
  } catch {
    return null;
  }
}
