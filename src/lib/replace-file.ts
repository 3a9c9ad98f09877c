import {randomUUID} from 'node:crypto';
import {open, rename, rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';

/**
 * Writes a file whole or not at all, in one step: a reader finds the old content or the new. `mode` is that of the new file, less the umask. Throws
 * what the file system throws; nothing is left beside it then.
 */
export async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  await replaceFileInParts(file, mode, (append) => append(text));
}

/** The same for what is too long to be held at once: the file is replaced when `write` is done with appending, and not at all when it throws. */
export async function replaceFileInParts<T>(
  file: string,
  mode: number,
  write: (append: (text: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const draft = draftOf(file);
  try {
    const handle = await open(draft, 'wx', mode);
    let answer: T;
    try {
      answer = await write((text) => handle.appendFile(text));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
    return answer;
  } finally {
    await removeDraft(draft);
  }
}

/** Whether `replaceFile` could write there now, by writing an empty file beside it; nothing is left. Throws as that does. */
export async function tryToReplace(file: string): Promise<void> {
  const draft = draftOf(file);
  try {
    await (await open(draft, 'wx')).close();
  } finally {
    await removeDraft(draft);
  }
}

function draftOf(file: string): string {
  return join(dirname(file), `.${basename(file).slice(0, 100)}.${randomUUID()}`);
}

async function removeDraft(draft: string): Promise<void> {
  await rm(draft, {force: true}).catch(() => undefined);
}
