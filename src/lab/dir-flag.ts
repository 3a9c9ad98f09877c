import {resolve} from 'node:path';
import {Flags} from '@oclif/core';

/** The folder of the lab, as it was given. */
export const dirFlag = {
  dir: Flags.string({
    helpValue: 'DIR',
    description: 'folder of the lab',
    default: './regionctl-lab',
  }),
};

/** The folder as an absolute path: the lab's processes work elsewhere. */
export const labDir = (dir: string) => resolve(dir);
