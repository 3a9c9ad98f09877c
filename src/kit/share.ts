import {registerHooks} from 'node:module';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

const SHARED: Readonly<Record<string, string>> = {
  'regionctl/kit': 'kit.js',
  'regionctl/kit/command': 'kit/command.js',
  'regionctl/kit/testing': 'kit/testing.js',
};

/**
 * Makes every plugin use the host's own kit, whether it has a copy of its own, another version, or none. What is built is found where it is said to be: looking
 * for a package and for links around each of its files is a tenth of a start.
 */
export function shareKit(root: string): void {
  const built = `${pathToFileURL(join(root, 'dist')).href}/`;
  registerHooks({
    resolve(specifier, context, next) {
      const file = SHARED[specifier];
      if (file !== undefined) return {url: built + file, shortCircuit: true};
      const {parentURL} = context;
      if (parentURL?.startsWith(built) !== true || !/^\.\.?\//.test(specifier)) return next(specifier, context);
      return {url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true};
    },
  });
}
