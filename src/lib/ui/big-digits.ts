const GLYPHS: Readonly<Record<string, readonly [string, string, string]>> = {
  '0': ['┏━┓', '┃ ┃', '┗━┛'],
  '1': [' ╻ ', ' ┃ ', ' ╹ '],
  '2': ['╺━┓', '┏━┛', '┗━╸'],
  '3': ['╺━┓', '╺━┫', '╺━┛'],
  '4': ['╻ ╻', '┗━┫', '  ╹'],
  '5': ['┏━╸', '┗━┓', '╺━┛'],
  '6': ['┏━╸', '┣━┓', '┗━┛'],
  '7': ['╺━┓', '  ┃', '  ╹'],
  '8': ['┏━┓', '┣━┫', '┗━┛'],
  '9': ['┏━┓', '┗━┫', '╺━┛'],
  '.': [' ', ' ', '▪'],
};
const SMALL = (character: string): readonly [string, string, string] => [' ', ' ', character];

/** Text three lines high: digits and the point are large, anything else stands small on the lowest line. */
export function bigDigits(text: string): readonly [string, string, string] {
  const glyphs = [...text].map((character) => GLYPHS[character] ?? SMALL(character));
  const row = (line: 0 | 1 | 2) => glyphs.map((glyph) => glyph[line]).join('');
  return [row(0), row(1), row(2)];
}
