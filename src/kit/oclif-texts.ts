/** What stands in the help in place of oclif's own words. */
type Texts = {
  readonly summary: string;
  readonly description?: string;
  readonly examples?: readonly string[];
  /** Of flags and arguments, by name. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly args?: Readonly<Record<string, string>>;
};

const verbose = 'show all that npm says';
const help = 'show this help';

/** The commands of oclif's plugins in the words of this program, by their ids. */
export const OCLIF_TEXTS: Readonly<Record<string, Texts>> = {
  plugins: {
    summary: 'List the plugins that are installed or linked.',
    description: '',
    examples: ['<%= config.bin %> plugins', '<%= config.bin %> plugins --core --json'],
    flags: {core: "also show oclif's own, which belong to <%= config.bin %>"},
  },
  'plugins:inspect': {
    summary: 'Show where a plugin comes from, its commands and what it depends on.',
    description: '',
    examples: ['<%= config.bin %> plugins inspect <%= config.pjson.oclif.examplePlugin %>'],
    args: {plugin: 'its name; "." is the plugin of this folder'},
    flags: {help, verbose: 'show where each of its dependencies is'},
  },
  'plugins:install': {
    summary: 'Install a plugin from the npm registry, a tarball or a repository.',
    description:
      'npm installs it into the data folder of <%= config.bin %>. REGIONCTL_NPM_REGISTRY names another registry, REGIONCTL_NPM_LOG_LEVEL how much npm says.',
    examples: [
      '<%= config.bin %> plugins install <%= config.pjson.oclif.examplePlugin %>',
      '<%= config.bin %> plugins install file:/tmp/<%= config.pjson.oclif.examplePlugin %>-1.0.0.tgz',
      '<%= config.bin %> plugins install https://github.com/someone/<%= config.pjson.oclif.examplePlugin %>',
    ],
    args: {plugin: 'its name, also with @version; file: and a tarball; the URL of a repository'},
    flags: {force: 'let npm fetch it although it is there', help, silent: 'show nothing that npm says', verbose},
  },
  'plugins:link': {
    summary: 'Use a plugin from its folder, as it is there, while you write it.',
    description: 'Where the folder has a lock file, its dependencies are installed first.',
    examples: [
      '<%= config.bin %> plugins link .',
      '<%= config.bin %> plugins link ../<%= config.pjson.oclif.examplePlugin %> --no-install',
    ],
    args: {path: 'the folder of the plugin'},
    flags: {help, install: 'install its dependencies', verbose},
  },
  'plugins:reset': {
    summary: 'Remove every plugin that is installed or linked.',
    examples: ['<%= config.bin %> plugins reset', '<%= config.bin %> plugins reset --reinstall'],
    flags: {hard: 'also delete the list of plugins and the folder that npm keeps', reinstall: 'then install and link them again'},
  },
  'plugins:uninstall': {
    summary: 'Remove a plugin, also one that cannot be loaded.',
    description: '',
    examples: ['<%= config.bin %> plugins uninstall <%= config.pjson.oclif.examplePlugin %>'],
    args: {plugin: 'its name, or its folder when it is linked'},
    flags: {help, verbose},
  },
  'plugins:update': {
    summary: 'Update the plugins that are installed.',
    description: '',
    examples: ['<%= config.bin %> plugins update'],
    flags: {help, verbose},
  },
  autocomplete: {
    summary: 'Set up the Tab key: completion of commands and flags.',
    description: '',
    examples: ['<%= config.bin %> autocomplete', '<%= config.bin %> autocomplete zsh', '<%= config.bin %> autocomplete --refresh-cache'],
    args: {shell: 'default: the shell that you use'},
    flags: {'refresh-cache': 'only read the commands anew, also those of plugins'},
  },
  help: {
    summary: 'Show how a command is used; without one, all commands and exit codes.',
    description: '',
    examples: ['<%= config.bin %> help', '<%= config.bin %> help failover run', '<%= config.bin %> help --nested-commands'],
    args: {command: 'the words of the command'},
    flags: {'nested-commands': 'list every command, also those of topics'},
  },
  version: {
    summary: 'Show the version of <%= config.bin %> and of what it runs on.',
    examples: ['<%= config.bin %> version', '<%= config.bin %> version --verbose --json'],
    flags: {verbose: 'also show where it is, the plugins, and the system'},
  },
};
