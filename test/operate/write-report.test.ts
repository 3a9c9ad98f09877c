import {chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {assertWritable, writeReport} from '../../src/lib/operate/write-report.ts';

const isRoot = process.getuid?.() === 0;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'regionctl-write-'));
});
afterEach(() => rmSync(dir, {recursive: true, force: true}));

describe('a report is written', () => {
  it('to a new file, and nothing is left beside it', async () => {
    const file = join(dir, 'drill.html');
    await assertWritable(file);
    expect(readdirSync(dir)).toEqual([]);
    await writeReport(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readdirSync(dir)).toEqual(['drill.html']);
  });

  it('over an existing one, which keeps its mode, and through a link, which stays one', async () => {
    const file = join(dir, 'drill.html');
    writeFileSync(file, 'old');
    chmodSync(file, 0o640);
    symlinkSync(file, join(dir, 'latest.html'));
    await writeReport(join(dir, 'latest.html'), 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(dir).sort()).toEqual(['drill.html', 'latest.html']);
  });

  it('whole: who reads meanwhile finds the old or the new', async () => {
    const file = join(dir, 'drill.html');
    const texts = ['a', 'b'].map((letter) => letter.repeat(2_000_000));
    await writeReport(file, texts[0] ?? '');
    let isOver = false;
    const writing = writeReport(file, texts[1] ?? '').finally(() => {
      isOver = true;
    });
    const seen = new Set<string>();
    while (!isOver) {
      seen.add(readFileSync(file, 'utf8'));
      await new Promise(setImmediate);
    }
    await writing;
    for (const text of seen) expect(texts.includes(text)).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(texts[1]);
  });
});

describe('a report is refused', () => {
  it.each([
    ['a folder', '.', /it is a folder/u],
    ['what ends like a folder', 'reports/', /is not the name of a file/u],
    ['nothing', '', /is not the name of a file/u],
    ['a device', '/dev/null', /it is no regular file/u],
    ['a folder that is not there', 'no/drill.html', /there is no folder .*no$/u],
    ['a file where a folder should be', 'file/drill.html', /there is no folder/u],
    ['a name that is too long', 'x'.repeat(300), /its name is too long/u],
  ])('to %s, before and when it is written', async (_name, part, message) => {
    writeFileSync(join(dir, 'file'), '');
    const path = part === '' || part.startsWith('/') ? part : `${dir}/${part}`;
    for (const attempt of [() => assertWritable(path), () => writeReport(path, 'x')])
      await expect(attempt()).rejects.toMatchObject({exit: 64, message: expect.stringMatching(message)});
    expect(readdirSync(dir)).toEqual(['file']);
  });

  it.skipIf(process.platform !== 'linux')('a folder that is there and takes no file is not said to be missing, with 73', async () => {
    await expect(assertWritable('/proc/drill.html')).rejects.toMatchObject({
      code: 'not-written',
      exit: 73,
      message: expect.not.stringContaining('there is no folder'),
    });
  });

  it('where this user may not write, with 73', async () => {
    const closed = join(dir, 'closed');
    mkdirSync(closed, {mode: 0o555});
    const kept = join(dir, 'kept.html');
    writeFileSync(kept, 'old', {mode: 0o444});
    chmodSync(dir, 0o755);
    await asOrdinaryUser(async () => {
      await expect(assertWritable(join(closed, 'drill.html'))).rejects.toMatchObject({
        exit: 73,
        message: expect.stringMatching(/permission denied/u),
      });
      await expect(writeReport(kept, 'new')).rejects.toMatchObject({exit: 73});
    });
    expect(readFileSync(kept, 'utf8')).toBe('old');
  });
});

/** Root may write everywhere, so for a moment it is somebody else. */
async function asOrdinaryUser(work: () => Promise<void>): Promise<void> {
  if (!isRoot) return work();
  process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}
