import {existsSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {Flags} from '@oclif/core';

const DEFAULT_DIR = './regionctl-lab';

/** The folder of the lab, as it was given. */
export const dirFlag = {
  dir: Flags.string({
    helpValue: 'DIR',
    description: `folder of the lab; default: that of REGIONCTL_FLEET if it is a lab's, else ${DEFAULT_DIR}`,
  }),
};

/** The folder as an absolute path: the lab's processes work elsewhere. */
export function labDir(dir: string | undefined): string {
  const fleet = process.env.REGIONCTL_FLEET;
  if (dir !== undefined || fleet === undefined || !existsSync(join(dirname(fleet), 'lab.json'))) return resolve(dir ?? DEFAULT_DIR);
  return resolve(dirname(fleet));
}
