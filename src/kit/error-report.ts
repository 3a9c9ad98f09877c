import {isRegionctlError, messageOf} from '../lib/errors.ts';
import {EXIT} from '../lib/exit-codes.ts';

/** What a failed command says, as text or as the error document of `--json`. */
export type ErrorReport = {
  readonly code: string;
  readonly message: string;
  readonly suggestions: readonly string[];
  readonly exit: number;
};

/**
 * `command` (with spaces) is what was run, empty when none was; `plugin` the name of the plugin whose command it was, null for our own;
 * `scrub` takes secrets out. `interrupted` = the first Ctrl+C came before the error, which is then taken for its consequence.
 */
export type ReportContext = {
  readonly command: string;
  readonly plugin?: string | null;
  readonly scrub?: (text: string) => string;
  readonly interrupted?: boolean;
};

/** An error of oclif's, also when it was thrown by a plugin's own copy of oclif. */
type OclifError = Error & {readonly oclif: {readonly exit?: number}; readonly code?: string};

/** Any error as one clear message with its exit code. Never a stack trace, unless DEBUG asks for it. */
export function errorReport(error: unknown, context: ReportContext): ErrorReport {
  const {command, plugin = null, scrub = (text) => text, interrupted = false} = context;
  if (isRegionctlError(error))
    return {code: error.code, message: scrub(error.message), suggestions: error.suggestions.map(scrub), exit: error.exit};
  if (interrupted) return {code: 'interrupted', message: 'interrupted', suggestions: [], exit: EXIT.interrupted};
  if (isOclifError(error)) return usageReport(error, command);
  const where = process.env.DEBUG && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  return {
    code: 'bug',
    message: scrub(`this is a bug in ${plugin === null ? 'regionctl' : `the plugin ${plugin}`}: ${messageOf(error)}${where}`),
    suggestions: ['run it again with DEBUG=1 and report what it prints'],
    exit: EXIT.bug,
  };
}

/** How a command ended that asked for it by its exit code alone; null for any other error. */
export function exitOf(error: unknown): number | null {
  return isOclifError(error) && error.code === 'EEXIT' ? (error.oclif.exit ?? EXIT.bug) : null;
}

function isOclifError(error: unknown): error is OclifError {
  return error instanceof Error && 'oclif' in error;
}

/** Prints a report: as the only JSON document on stdout, or as text on stderr. */
export function printReport(report: ErrorReport, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify({error: report}, null, 2)}\n`);
  else process.stderr.write(errorText(report));
}

function usageReport(error: OclifError, command: string): ErrorReport {
  const exit = exitOf(error) ?? EXIT.usage;
  const help = ['regionctl', command, '--help'].filter((word) => word !== '').join(' ');
  return {code: error.code ?? 'usage', message: usageMessage(error.message), suggestions: [help], exit};
}

/** oclif's messages in the words of this program: what it appends and how it lays them out is taken off. */
function usageMessage(message: string): string {
  return message
    .replace(/\n?See more help with --help$/u, '')
    .replace(/^The following errors? occurred:\n\s*/u, '')
    .replaceAll(/Missing required flag (\S+)/gu, 'the flag --$1 is missing')
    .replace(/^Command (.+) not found\.$/u, (_, id: string) => `unknown command "${id.replaceAll(':', ' ')}"`)
    .replace(/^Parsing (--\S+)\s*\n\s*/u, '$1: ')
    .replace(/^Nonexistent flags?: /u, 'unknown flag: ')
    .replace(/^Missing \d+ required args?:\n/u, 'missing:\n')
    .trim();
}

/** A message may quote a file: what would move the cursor or colour the screen must not come through. */
const CONTROLS = /(?!\n)\p{Cc}/gu;

function errorText({message, suggestions}: ErrorReport): string {
  const lines = [`Error: ${message}`, ...suggestions.map((suggestion) => `  Try: ${suggestion}`)];
  return `${lines.join('\n').replaceAll(CONTROLS, '\uFFFD')}\n`;
}
