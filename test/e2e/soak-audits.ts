// `node test/e2e/soak-audits.ts [TIMES]`: audits of a lab in turn, full and quick, under 2,000 writes a second with a standby that is late, until TIMES
// (default 100) are done. None may report a divergence: nothing diverges. Needs a build.

import type {AuditDocument} from '../../src/lib/operate/audit.ts';
import {makeLedger, startWriters} from './audit-writers.ts';
import {LabSession} from './lab-session.ts';

const ROWS = 200_000;
const times = Number(process.argv[2] ?? 100);
const print = (line: string): boolean => process.stdout.write(`${line}\n`);
const lab = new LabSession();
const seen = {equal: 0, unknown: 0, wrong: 0, late: 0, unsettled: 0};
try {
  await lab.up('--async');
  await makeLedger(lab, 'us-east', ROWS);
  await lab.lab('fault', 'latency', 'eu-west', '--from', 'us-east', '--ms', '200', '--jitter-ms', '200', '--lease', '3h');
  const writers = await startWriters(lab, 'us-east', ROWS, 2000);
  const began = performance.now();
  for (let turn = 1; turn <= times; turn++) {
    const ran = await lab.run(['consistency', 'audit', '--json', ...(turn > 1 && turn % 2 === 0 ? ['--quick'] : [])], {timeoutMs: 300_000});
    const document = JSON.parse(ran.stdout) as AuditDocument;
    seen.late += document.counts?.late ?? 0;
    seen.unsettled += document.counts?.unsettled ?? 0;
    if (document.verdict === 'equal') seen.equal++;
    else if (document.verdict === 'unknown') seen.unknown++;
    else seen.wrong++;
    const rate = Math.round(writers.written() / ((performance.now() - began) / 1000));
    print(
      `${turn}: ${document.verdict} (${ran.code}), late ${document.counts?.late}, ${rate} writes/s; ${document.verdict === 'equal' ? '' : document.reason}`,
    );
  }
  await writers.stop();
  print(JSON.stringify(seen));
  process.exitCode = seen.wrong === 0 && seen.equal > 0 ? 0 : 1;
} finally {
  await lab.remove();
}
