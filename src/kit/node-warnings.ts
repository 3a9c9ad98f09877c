/** A warning of Node, as `process.emitWarning` makes it. */
export type NodeWarning = {readonly name: string; readonly message: string; readonly detail?: string | undefined};

/** Warnings of Node while `work` is under way, kept instead of printed. */
export async function hearWarnings(work: () => Promise<unknown>): Promise<readonly NodeWarning[]> {
  const heard: NodeWarning[] = [];
  const hear = (warning: NodeWarning) => void heard.push(warning);
  const before = process.listeners('warning');
  process.removeAllListeners('warning').on('warning', hear);
  try {
    await work();
    // They are emitted in the next tick.
    await new Promise(setImmediate);
  } finally {
    process.off('warning', hear);
    for (const listener of before) process.on('warning', listener);
  }
  return heard;
}
