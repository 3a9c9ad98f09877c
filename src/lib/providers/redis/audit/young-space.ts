import {setFlagsFromString} from 'node:v8';

/*
 * Reading keys makes a kilobyte of garbage for each, most of which dies at once. V8 takes that for a reason to let the young generation grow to 100 MB, which makes
 * nothing faster: a million keys on two members took 350 MB, and take half of that where it stays as it is. It is asked for at each growth, so that this works in mid-run.
 */
let held = 0;

/** Keeps the young generation from growing, until what it answers is called. */
export function keepYoungSpaceSmall(): () => void {
  if (held++ === 0) setFlagsFromString('--semi-space-growth-factor=1');
  let over = false;
  return () => {
    if (over) return;
    over = true;
    if (--held === 0) setFlagsFromString('--semi-space-growth-factor=2');
  };
}
