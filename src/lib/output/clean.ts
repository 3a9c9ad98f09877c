// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes of terminals begin with an escape character.
const TERMINAL_CODES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])?/gu;
/** They turn the order of what follows round, so that a text reads as something else. */
const DIRECTIONS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Foreign text for a report: no codes of terminals, no control characters (a line end becomes a blank), no characters that turn the direction of
 * writing, and no half characters. What is left may still be markup: that is for who writes the format to escape.
 */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(TERMINAL_CODES, '')
    .replaceAll(DIRECTIONS, '')
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\ufffe\uffff]+/gu, ' ');
}
