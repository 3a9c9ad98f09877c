// The layer rule of the house: which folder may import which. Prints each breach with its line and exits with 1.
import {globSync, readFileSync} from 'node:fs';
import {dirname, join, normalize} from 'node:path';

type Rule = {readonly from: RegExp; readonly mayNot: RegExp; readonly why: string};

const PURE = 'src/lib/(fleet/(fleet|lookup)|snapshot|plan|ports|exit-codes|errors)';
const TECHNOLOGY = 'src/lib/providers/[^/]+/';
const CAPABILITY = 'src/lib/(health|replication|failover|witness|drill|consistency|observe|run|traffic|capacity|residency|slo|evidence)/';

const RULES: readonly Rule[] = [
  {
    from: /^src\/lib\//,
    mayNot: /^(@oclif\/core|src\/commands\/|src\/hooks\/|src\/kit\/|src\/lab\/)/,
    why: 'lib does not know the command line, the kit or the lab',
  },
  {from: /^src\/lib\/(?!ui\/)/, mayNot: /^(ink|react|src\/lib\/ui\/)/, why: 'only src/lib/ui knows Ink'},
  {
    from: /^src\/lib\/(snapshot|plan|ports|fleet\/(fleet|lookup))/,
    mayNot: /^(node:(?!buffer|crypto|util)|pg|undici|execa)/,
    why: 'snapshot, plan, ports and the fleet types know no I/O',
  },
  {from: /^src\/lib\/failover\/plan-/, mayNot: /^(node:(?!crypto)|pg|undici|execa|src\/lib\/providers\/)/, why: 'planners are pure'},
  {
    from: /^src\/lib\/consistency\/causality\//,
    mayNot: /^(node:(?!buffer|crypto|util)|pg|undici|execa|yaml|zod|src\/lib\/(?!consistency\/causality\/|fleet\/fleet|plan\/|errors))/,
    why: 'causality is a pure floor',
  },
  {from: new RegExp(`^${CAPABILITY}`), mayNot: new RegExp(`^${TECHNOLOGY}`), why: 'a capability knows ports, never a technology folder'},
  {from: new RegExp(`^${TECHNOLOGY}`), mayNot: new RegExp(`^${CAPABILITY}`), why: 'a technology folder knows ports, never a capability'},
  {
    from: /^src\/lib\/(output|ui)\//,
    mayNot: new RegExp(`^(${TECHNOLOGY}|pg$|undici$|execa$)`),
    why: 'output and ui know results, never how they came about',
  },
  {from: new RegExp(`^${PURE}`), mayNot: /^src\/lib\/(state|providers\/(?!define))/, why: 'the pure floor imports nothing above it'},
  {from: /^src\/(?!lab\/|commands\/lab\/)/, mayNot: /^src\/lab\//, why: 'only commands/lab starts the lab'},
  {
    from: /^(src|plugins\/[^/]+\/src)\//,
    mayNot: /^(test|scripts|bench|plugins\/[^/]+\/test)\//,
    why: 'the product does not import its tests',
  },
  {from: /^src\//, mayNot: /^(plugins\/|amqplib)/, why: 'regionctl knows no plugin'},
  {from: /^plugins\/[^/]+\/src\//, mayNot: /^src\//, why: 'plugins are built on regionctl/kit only'},
];

const breaches = globSync(['src/**/*.{ts,tsx}', 'plugins/*/src/**/*.{ts,tsx}']).flatMap(breachesOf);
for (const breach of breaches) console.error(breach);
console.log(`layers: ${breaches.length === 0 ? 'kept' : `${breaches.length} breaches`}`);
process.exitCode = breaches.length === 0 ? 0 : 1;

function breachesOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  return [
    ...source.matchAll(/(?:^import\s(?!type)[^'";]*?from\s|^import\s|^export\s(?!type)[^'";]*?from\s|\bimport\()['"]([^'"]+)['"]/gmu),
  ].flatMap((match) => {
    const target = resolve(file, match[1] ?? '');
    const line = source.slice(0, match.index).split('\n').length;
    return RULES.filter(({from, mayNot}) => from.test(file) && mayNot.test(target)).map(
      ({why}) => `${file}:${line} imports ${target}: ${why}`,
    );
  });
}

function resolve(file: string, specifier: string): string {
  return specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier;
}
