// `node test/e2e/soak-evacuation.ts [TIMES]`: a region of a lab in which every region takes writes is killed, cut off and emptied under load, and taken
// back, TIMES (default 3) times each. Needs a build.

import {Ground} from './evacuation-ground.ts';
import {drained, killed, partitioned, type Told} from './evacuation-scenarios.ts';

const times = Number(process.argv[2] ?? 3);
const only = process.argv[3];
const scenarios: Readonly<Record<string, (ground: Ground) => Promise<Told>>> = {killed, partitioned, drained};
const print = (line: string): boolean => process.stdout.write(`${line}\n`);
let wrong = 0;
for (const [name, scenario] of Object.entries(scenarios)) {
  for (let turn = 1; turn <= times && (only === undefined || only === name); turn++) {
    const ground = new Ground();
    try {
      await ground.up();
      const began = performance.now();
      const {problems, unsent, counted, gapMs, acknowledged} = await scenario(ground);
      const seconds = Math.round((performance.now() - began) / 1000);
      const figures = `unsent ${unsent}, counted ${counted}, longest gap of the others ${gapMs} ms, ${acknowledged} writes`;
      print(`${name} ${turn}: ${problems.length === 0 ? 'well' : 'WRONG'} in ${seconds} s; ${figures}`);
      for (const problem of problems) print(`  ${problem}`);
      wrong += problems.length;
    } catch (error) {
      wrong++;
      print(`${name} ${turn}: WRONG, ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await ground.stop();
      await ground.lab.remove();
    }
  }
}
process.exitCode = wrong === 0 ? 0 : 1;
