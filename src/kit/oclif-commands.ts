import type {Command, Config} from '@oclif/core';
import {errorReport, exitOf, printReport} from './error-report.ts';
import {hearWarnings} from './node-warnings.ts';
import {inHouseWords} from './oclif-errors.ts';
import {isOclifs} from './oclif-plugins.ts';
import {OCLIF_TEXTS} from './oclif-texts.ts';
import {reportTroubles} from './user-plugins.ts';

/** What these print is npm's: it goes where progress goes. */
const NPM_COMMANDS = new Set(['plugins:install', 'plugins:link', 'plugins:uninstall', 'plugins:update']);
const NEW_PLUGINS = new Set(['plugins:install', 'plugins:link', 'plugins:reset']);
/** These print "failed" as their result. */
const UNSURE_COMMANDS = new Set(['plugins:inspect']);

/** Lets the commands of oclif's own plugins speak, fail and give documents as the commands of this program do. */
export function adoptOclif(config: Config): void {
  for (const {name, commands} of config.plugins.values()) if (isOclifs(name)) for (const command of commands) adopt(command);
}

function adopt(command: Command.Loadable): void {
  const {flags = {}, args = {}, ...texts} = OCLIF_TEXTS[command.id] ?? {};
  Object.assign(command, texts);
  for (const [name, description] of Object.entries(flags)) Object.assign(command.flags[name] ?? {}, {summary: undefined, description});
  for (const [name, description] of Object.entries(args)) Object.assign(command.args[name] ?? {}, {description});
  const {id, load} = command;
  command.load = async () => adopted(id, await load());
}

function adopted(id: string, foreign: Command.Class): Command.Class {
  const Foreign = foreign as unknown as {new (argv: string[], config: Config): Command & {run(): Promise<unknown>}};
  class Adopted extends Foreign {
    #said: readonly string[] = [];

    override async run(): Promise<unknown> {
      if (id.startsWith('plugins:')) prepareForNpm();
      // It would ask npm's registry for news, in the middle of an incident; like this, npm says at once that it has none.
      if (id === 'version') process.env.npm_config_offline = 'true';
      const before = new Set(this.config.plugins.values());
      let result: unknown;
      const warnings = await hearWarnings(async () => {
        result = await this.#runPrinting(() => super.run());
      });
      // Of those that were there before, it was said when the program was loaded.
      if (NEW_PLUGINS.has(id)) reportTroubles(this.config, warnings);
      return result ?? [...this.config.plugins.values()].filter((plugin) => !before.has(plugin));
    }

    protected override toSuccessJson(result: unknown): unknown {
      if (id === 'version') return versionDocument(this.config, this.argv.includes('--verbose'));
      return Array.isArray(result) ? result.map(pluginDocument) : result;
    }

    protected override async catch(error: Error): Promise<void> {
      const json = this.argv.includes('--json');
      if (!json) await super.catch(error).catch(() => {}); // ends the line of what was under way
      const exit = exitOf(error);
      if (exit !== null) {
        process.exitCode = exit;
        return;
      }
      const report = errorReport(inHouseWords(error, this.#said), {command: id.replaceAll(':', ' ')});
      process.exitCode = report.exit;
      printReport(report, json);
    }

    #runPrinting(work: () => Promise<unknown>): Promise<unknown> {
      if (NPM_COMMANDS.has(id)) return this.#withNpm(work);
      return UNSURE_COMMANDS.has(id) ? printedAtLast(work) : work();
    }

    /** What npm says is kept, for the reason of a failure, and printed on stderr unless a document is wanted. */
    #withNpm<T>(work: () => Promise<T>): Promise<T> {
      const said: string[] = [];
      this.#said = said;
      const json = this.argv.includes('--json');
      return diverted(work, (text) => {
        said.push(text);
        if (!json) process.stderr.write(text);
      });
    }
  }
  return Adopted as unknown as Command.Class;
}

/**
 * npm would ask the registry for a newer npm, and print what it learned. And as bin/run.js sets NODE_ENV for React, it would take a plugin
 * that is linked for one that nobody works on, and remove its development dependencies.
 */
function prepareForNpm(): void {
  process.env.npm_config_update_notifier ??= 'false';
  Reflect.deleteProperty(process.env, 'NODE_ENV'); // written otherwise, the build would put its value in place of the name
}

/** Prints on stdout what `work` printed once it has succeeded, else nothing. */
async function printedAtLast<T>(work: () => Promise<T>): Promise<T> {
  const texts: string[] = [];
  const result = await diverted(work, (text) => texts.push(text));
  process.stdout.write(texts.join(''));
  return result;
}

/** Hands what is printed on stdout meanwhile to `take`. */
async function diverted<T>(work: () => Promise<T>, take: (text: string) => void): Promise<T> {
  const write = process.stdout.write;
  process.stdout.write = (text: string | Uint8Array) => {
    take(String(text));
    return true;
  };
  try {
    return await work();
  } finally {
    process.stdout.write = write;
  }
}

type ForeignPlugin = Readonly<Record<'name' | 'version' | 'type' | 'root', string>> & {
  readonly commandIDs?: readonly string[];
  readonly options?: {readonly tag?: string; readonly url?: string};
  readonly deps?: object;
};

/** Versions as fields that a program can compare; oclif's own document has them in sentences. Of plugins, those of the user. */
function versionDocument({name, version, root, dataDir, plugins}: Config, verbose: boolean): object {
  const document = {name, version, node: process.versions.node, platform: process.platform, arch: process.arch};
  if (!verbose) return document;
  const ofUser = [...plugins.values()].filter(({type}) => type !== 'core');
  return {...document, root, dataDir, plugins: ofUser.map(({name, version, type, root}) => ({name, version, type, root}))};
}

/** Of oclif's own object, what says something about the plugin: it also holds caches, and the plugin above and below it. */
function pluginDocument({name, version, type, root, commandIDs = [], options, deps}: ForeignPlugin): object {
  const commands = commandIDs.map((id) => id.replaceAll(':', ' '));
  return {name, version, type, root, tag: options?.tag, url: options?.url, commands, dependencies: deps};
}
