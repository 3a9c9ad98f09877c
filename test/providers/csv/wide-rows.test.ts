import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {afterAll, describe, expect, it} from 'vitest';
import {readWideRows} from '../../../src/lib/providers/csv/wide-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'wide-rows-'));
const file = join(folder, 'series.csv');
afterAll(() => rmSync(folder, {recursive: true}));

async function rowsOf(text: string) {
  writeFileSync(file, text);
  return (await readWideRows(file)).map(({name, values}) => [name, ...values]);
}

describe('rows of a name and its values', () => {
  it('with quotes, padding, CRLF, a byte order mark, empty lines and no end of the last line', async () => {
    expect(await rowsOf('\uFEFF"V1","V2","V3"\r\n"a","1.5","2"\r\n\r\nb, 3 ,-4e2,"",\r\n"c ""d"", e",.5')).toEqual([
      ['a', 1.5, 2],
      ['b', 3, -400],
      ['c "d", e', 0.5],
    ]);
  });

  it('with blanks around quotes', async () => {
    expect(await rowsOf('id, "1", "2"\n "a" , "1" ,\t"" , "2.5"\t, "-3" , "" \n')).toEqual([['a', 1, Number.NaN, 2.5, -3]]);
  });

  it('empty cells between values are gaps, and so is NA, also at the end', async () => {
    expect(await rowsOf('id,1,2,3\nx,1,,3,,\ny,1,NA\nz,,\n')).toEqual([['x', 1, Number.NaN, 3], ['y', 1, Number.NaN], ['z']]);
  });

  it('longer than a piece of the file is', async () => {
    const values = Array.from({length: 400_000}, (_, i) => i % 997);
    const [row] = await rowsOf(`id\nlong,${values.join(',')}\n`);
    expect(row).toHaveLength(values.length + 1);
    expect(row?.slice(-3)).toEqual(values.slice(-3));
  });

  it('every number is read as JavaScript reads it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double({noNaN: true, noDefaultInfinity: true}), {minLength: 1, maxLength: 20}), async (values) => {
        const written = values.flatMap((value) => [String(value), value.toFixed(3), value.toPrecision(12)]);
        expect(await rowsOf(`id\nx,${written.join(',')}\n`)).toEqual([['x', ...written.map(Number)]]);
      }),
      {numRuns: 50},
    );
  });
});

describe('what cannot be', () => {
  it.each([
    ['id\na,1,2\nb,1,two\n', 'line 3, column 3: "two" is not a number'],
    ['id\na,0x10\n', 'line 2, column 2: "0x10" is not a number'],
    ['id\na,Infinity\n', 'line 2, column 2: "Infinity" is not a number'],
    ['id\na,1e999\n', 'line 2, column 2: 1e999 is too large for a number'],
    ['id\na,1 2\n', 'line 2, column 2: "1 2" is not a number'],
    ['id\n,1\n', 'line 2, column 1: the row has no name'],
    ['id\na,1\na,2\n', 'line 3, column 1: the series "a" is there twice'],
    ['id\n"a,1\n', 'line 2, column 1: a quote is opened and not closed'],
    ['id\na,"1"2\n', 'line 2, column 2: text follows a quoted cell'],
    ['id;a\nweb;1,5;2\nweb;1;2\n', 'line 2, column 2: "5;2" is not a number'],
    ['id;a\nweb;1;2\n', 'line 2, column 1: the row has no comma'],
    ['id,1,2\n', 'has no rows below its header'],
    ['', 'has no rows below its header'],
  ])('%j: %s', async (text, message) => {
    const told = rowsOf(text);
    await expect(told).rejects.toMatchObject({code: 'usage', exit: 64, message: expect.stringContaining(message)});
    await expect(told).rejects.toThrow(file);
  });

  it('a file that is not there', async () => {
    await expect(readWideRows(join(folder, 'none.csv'))).rejects.toMatchObject({
      exit: 64,
      message: expect.stringContaining('there is no such file'),
    });
  });
});
