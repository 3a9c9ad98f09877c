/** Colours by what they mean. Each takes and gives one piece of text. */
export type Paint = Readonly<Record<Meaning, (text: string) => string>>;
/** What a colour can say. */
export type Meaning = 'good' | 'warning' | 'critical' | 'unknown' | 'muted' | 'strong';

/** No colours: for pipes, files, NO_COLOR and tests. */
export function plainPaint(): Paint {
  const same = (text: string) => text;
  return {good: same, warning: same, critical: same, unknown: same, muted: same, strong: same};
}

/** Colours of the 16 that every terminal has, so that the reader's own theme decides how they look. */
export async function colourPaint(): Promise<Paint> {
  const {Chalk} = await import('chalk');
  const chalk = new Chalk({level: 1});
  // One piece of text each: chalk takes several, so that a painted list would show its indexes.
  return {
    good: (text) => chalk.green(text),
    warning: (text) => chalk.yellow(text),
    critical: (text) => chalk.red(text),
    unknown: (text) => chalk.magenta(text),
    muted: (text) => chalk.dim(text),
    strong: (text) => chalk.bold(text),
  };
}
