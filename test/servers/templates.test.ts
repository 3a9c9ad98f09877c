import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import setup, {takeTemplate} from './templates.ts';

describe('templates of test servers', () => {
  let end = (): void => undefined;
  let made: string[] = [];
  beforeEach(() => {
    made = [];
    end = setup();
  });
  afterEach(() => {
    end();
    delete process.env.RC_TEST_TEMPLATES;
  });
  const create = (text: string) => async (dir: string) => {
    mkdirSync(dir);
    writeFileSync(join(dir, 'made'), text);
    made.push(text);
  };
  const textOf = (dir: string): string => readFileSync(join(dir, 'made'), 'utf8');

  it('are made once, and again only for who holds another one already', async () => {
    const first = await takeTemplate('kind', create('first'));
    const second = await takeTemplate('kind', create('second'));
    expect([textOf(first.dir), textOf(second.dir)]).toEqual(['first', 'second']);
    first.release();
    const third = await takeTemplate('kind', create('third'));
    expect(textOf(third.dir)).toBe('first');
    expect(textOf((await takeTemplate('other', create('fourth'))).dir)).toBe('fourth');
    expect(made).toEqual(['first', 'second', 'fourth']);
    for (const template of [second, third]) template.release();
  });

  it('are those of the process that was ready first, and nothing else is left', async () => {
    const beside = async (dir: string) => {
      await create('late')(dir);
      const final = join(dirname(dirname(dir)), 'raced-0');
      mkdirSync(final);
      writeFileSync(join(final, 'made'), 'early');
    };
    const {dir, release} = await takeTemplate('raced', beside);
    expect(textOf(dir)).toBe('early');
    expect(readdirSync(dirname(dir))).toEqual(['raced-0']);
    release();
  });

  it('that could not be made are tried again', async () => {
    await expect(takeTemplate('failing', () => Promise.reject(new Error('no initdb')))).rejects.toThrow('no initdb');
    const {dir, release} = await takeTemplate('failing', create('now'));
    expect(textOf(dir)).toBe('now');
    expect(readdirSync(dirname(dir))).toEqual(['failing-0']);
    release();
  });

  it('are removed at the end of the run, and without a run when they are released', async () => {
    const {dir, release} = await takeTemplate('kind', create('shared'));
    release();
    expect(existsSync(dir)).toBe(true);
    end();
    expect(existsSync(dirname(dir))).toBe(false);
    delete process.env.RC_TEST_TEMPLATES;
    const own = await takeTemplate('kind', create('own'));
    expect(textOf(own.dir)).toBe('own');
    own.release();
    expect(existsSync(dirname(own.dir))).toBe(false);
  });
});
