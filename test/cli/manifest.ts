import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';

const MANIFEST = resolve(import.meta.dirname, '../../oclif.manifest.json');

type Flag = {
  readonly name: string;
  readonly char?: string;
  readonly type: 'boolean' | 'option';
  readonly description?: string;
  readonly helpValue?: string;
  readonly options?: readonly string[];
  readonly required?: boolean;
  readonly multiple?: boolean;
  readonly env?: string;
  readonly default?: unknown;
};
type Arg = {readonly name: string; readonly description?: string; readonly required?: boolean; readonly options?: readonly string[]};

/** One command as the built manifest has it. */
export type ManifestCommand = {
  readonly id: string;
  readonly summary?: string;
  readonly examples?: readonly string[];
  readonly args: Readonly<Record<string, Arg>>;
  readonly flags: Readonly<Record<string, Flag>>;
};

/** Every command of the built program, by its words. */
export function builtCommands(): readonly ManifestCommand[] {
  const {commands} = JSON.parse(readFileSync(MANIFEST, 'utf8')) as {commands: Record<string, ManifestCommand>};
  return Object.values(commands).map((command) => ({...command, id: command.id.replaceAll(':', ' ')}));
}

/** The commands with everything that a script can rely on, for a reader. The flags of all commands are listed once. */
export function commandsText(commands: readonly ManifestCommand[]): string {
  const common = Object.values(commands[0]?.flags ?? {}).filter(({name}) => commands.every(({flags}) => name === 'json' || name in flags));
  const names = new Set(common.map(({name}) => name));
  const blocks = commands
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({id, args, flags}) => {
      const own = Object.values(flags).filter(({name}) => !names.has(name) || (name === 'json' && !('json' in flags)));
      const lines = [...Object.values(args).map(argLine), ...own.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(flagLine)];
      return [`${id}${'json' in flags ? '' : '  (no --json)'}`, ...lines.map((line) => `  ${line}`)].join('\n');
    });
  return `every command\n${common.map((flag) => `  ${flagLine(flag)}`).join('\n')}\n\n${blocks.join('\n\n')}\n`;
}

function argLine({name, required, options}: Arg): string {
  return [`${name.toUpperCase()}`, required ? 'required' : '', options === undefined ? '' : options.join('|')].filter(Boolean).join(' ');
}

function flagLine(flag: Flag): string {
  const value = flag.type === 'boolean' ? '' : (flag.options?.join('|') ?? flag.helpValue ?? 'value');
  const parts = [
    `--${flag.name}${flag.char === undefined ? '' : ` -${flag.char}`}${value === '' ? '' : `=${value}`}`,
    flag.required ? 'required' : '',
    flag.multiple ? 'repeatable' : '',
    flag.env === undefined ? '' : `env ${flag.env}`,
    flag.default === undefined || flag.default === false ? '' : `default ${JSON.stringify(flag.default)}`,
  ];
  return parts.filter(Boolean).join(', ');
}
