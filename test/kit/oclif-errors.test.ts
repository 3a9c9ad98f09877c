import {expect, it} from 'vitest';
import {inHouseWords} from '../../src/kit/oclif-errors.ts';

it.each([
  [
    "EACCES: permission denied, mkdir '/root/data'",
    'plugins-not-written',
    73,
    "cannot be written: EACCES: permission denied, mkdir '/root/data'",
  ],
  ['Error: ENOSPC: no space left on device, write', 'plugins-not-written', 73, 'no space left on device'],
  ['a does not exist in the registry.', 'plugin-not-found', 69, 'has no package a, or does not answer'],
  ['a is not installed', 'usage', 64, 'the plugin a is not installed'],
  ['@a/b not installed', 'usage', 64, 'the plugin @a/b is not installed'],
  ['plugin is invalid', 'usage', 64, 'has no "oclif"'],
  ["could not find package.json with {\n  isRoot: true,\n  root: '/a b'\n}", 'usage', 64, '/a b has no package.json'],
  ["ENOENT: no such file or directory, open 'package.json'", 'usage', 64, 'there is no package.json'],
])('%s', (message, code, exit, says) => {
  const error = inHouseWords(new Error(message), []);
  expect(error).toMatchObject({code, exit, message: expect.stringContaining(says)});
});

it('tells the reason that npm gave', () => {
  const said = [
    'npm warn old\n',
    'npm error code E404\nnpm error 404 Not Found - GET https://registry.example/a\nnpm error 404\n',
    'npm error A complete log',
  ];
  const npm = (lines: readonly string[]) => inHouseWords(new Error('/node /npm-cli.js install a exited with code 1'), lines).message;
  expect(npm(said)).toBe('npm failed: Not Found - GET https://registry.example/a');
  expect(npm(['npm error code EACCES\nnpm error syscall open\n'])).toBe('npm failed: it gave no reason; try --verbose');
});

it('leaves alone what it does not know', () => {
  const error = new TypeError('x is not a function');
  expect(inHouseWords(error, [])).toBe(error);
});
