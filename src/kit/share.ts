import {registerHooks} from 'node:module';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

const SHARED: Readonly<Record<string, string>> = {
  'regionctl/kit': 'kit.js',
  'regionctl/kit/command': 'kit/command.js',
  'regionctl/kit/testing': 'kit/testing.js',
};

/** Makes every plugin use the host's own kit, whether it has a copy of its own, another version, or none. */
export function shareKit(root: string): void {
  registerHooks({
    resolve(specifier, context, next) {
      const file = SHARED[specifier];
      return file === undefined ? next(specifier, context) : {url: pathToFileURL(join(root, 'dist', file)).href, shortCircuit: true};
    },
  });
}
