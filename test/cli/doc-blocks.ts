/** A fenced block of a document. `file` = what the line above names it; `line` where it begins. */
export type Block = {readonly language: string; readonly text: string; readonly file: string | null; readonly line: number};

/** Every fenced block of a Markdown text. A line such as "`package.json`:" above a block names the file that it is. */
export function blocksOf(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/(?:^`([\w./-]+)`:\n\n)?^```(\w+)\n([\s\S]*?)^```$/gmu)].map((match) => ({
    language: match[2] ?? '',
    text: match[3] ?? '',
    file: match[1] ?? null,
    line: markdown.slice(0, match.index).split('\n').length,
  }));
}
