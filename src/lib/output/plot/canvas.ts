/** Which dots of a braille cell are set: the bits of U+2800, by row and column of the dot. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** One cell of a picture: what stands there, and on which layer. */
export type Mark = {readonly text: string; readonly layer: string};

/**
 * A picture of text cells, of which each has two by four dots. Lines are dots, areas are shades; a line hides a shade, and of two lines in a cell the later one
 * gives the layer. Rows count from the top.
 */
export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly #dots: Uint8Array;
  readonly #lines: (string | undefined)[] = [];
  readonly #shades: (Mark | undefined)[] = [];

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#dots = new Uint8Array(width * height);
  }

  /** Sets the dots of one dot column from one dot row to another, both included. What lies outside is cut off. */
  line(column: number, from: number, to: number, layer: string): void {
    if (column < 0 || column >= this.width * 2) return;
    const [top, bottom] = from <= to ? [from, to] : [to, from];
    for (let row = Math.max(0, top); row <= Math.min(this.height * 4 - 1, bottom); row++) {
      const index = (row >> 2) * this.width + (column >> 1);
      this.#dots[index] = (this.#dots[index] ?? 0) | (DOTS[row & 3]?.[column & 1] ?? 0);
      this.#lines[index] = layer;
    }
  }

  /** Puts a character into a cell, under the lines and over earlier shades. */
  shade(column: number, row: number, mark: Mark): void {
    if (column >= 0 && column < this.width && row >= 0 && row < this.height) this.#shades[row * this.width + column] = mark;
  }

  /** What stands in a cell; null = nothing. */
  at(column: number, row: number): Mark | null {
    const index = row * this.width + column;
    const dots = this.#dots[index] ?? 0;
    if (dots !== 0) return {text: String.fromCodePoint(0x2800 + dots), layer: this.#lines[index] ?? ''};
    return this.#shades[index] ?? null;
  }

  /** Each row as text, whose runs of one layer are painted at once. Blanks at the end are left out. */
  rows(paint: (layer: string, text: string) => string): readonly string[] {
    return Array.from({length: this.height}, (_, row) => this.#row(row, paint));
  }

  #row(row: number, paint: (layer: string, text: string) => string): string {
    const runs: {layer: string; text: string}[] = [];
    for (let column = 0; column < this.width; column++) {
      const {text, layer} = this.at(column, row) ?? {text: ' ', layer: ''};
      const last = runs.at(-1);
      if (last?.layer === layer) last.text += text;
      else runs.push({layer, text});
    }
    if (runs.at(-1)?.text.trim() === '') runs.pop();
    return runs.map(({layer, text}) => (layer === '' ? text : paint(layer, text))).join('');
  }
}
