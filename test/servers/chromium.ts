import {existsSync} from 'node:fs';
import {type Browser, chromium} from 'playwright-core';

/** Debian's Chromium, and why tests with it are skipped where it is not installed. */
const PROGRAM = '/usr/bin/chromium';
export const noChromium: string | null = existsSync(PROGRAM) ? null : PROGRAM;

/** Chromium without a window. As root it has no sandbox, which it refuses by itself. */
export async function openChromium(): Promise<Browser> {
  return chromium.launch({executablePath: PROGRAM, args: process.getuid?.() === 0 ? ['--no-sandbox'] : []});
}
