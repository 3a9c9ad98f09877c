/**
 * Whether a person listens to a screen reader, as Ink asks it. Every live view prints lines then: in its own mode for screen readers Ink takes back and
 * writes the whole screen for each age that changes, several times a second, and all of it is read out.
 */
export function isRead(env: NodeJS.ProcessEnv = process.env): boolean {
  return env.INK_SCREEN_READER === 'true' || env.INK_SCREEN_READER === '1';
}

/** Whether a live view can be drawn here: on a terminal that can, for a person who sees it. */
export function canDraw(): boolean {
  return process.stdout.isTTY && process.env.TERM !== 'dumb' && !process.env.CI && !isRead();
}
