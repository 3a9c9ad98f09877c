import {execFileSync} from 'node:child_process';
import {appendFileSync} from 'node:fs';
import {afterAll, it} from 'vitest';
import {LabUnderTest} from './lab-under-test.ts';
const lab = new LabUnderTest();
afterAll(() => lab.remove());
const log = (t: string) => appendFileSync('/tmp/rc/stress.log', t + '\n');
it('x', async () => {
  await lab.up();
  const ok = async (what: string) => {
    const t = performance.now();
    for (;;) {
      let why = '';
      try {
        const rows = await lab.sql('us-east', "select application_name, state, sync_state from pg_stat_replication");
        const st = await lab.status();
        const o = rows.length === 2 && st.regions.every((r) => r.state === 'running') ? (await lab.order('a')).status : 0;
        if (o === 201) return log(`${what} ok ${(performance.now() - t).toFixed(0)}`);
        why = JSON.stringify({rows, st: st.regions.map((r) => [r.region, r.role, r.state]), o, faults: st.faults});
      } catch (e) { why = String(e); }
      if (performance.now() - t > 12000) {
        log(`${what} STUCK ${why}`);
        const pids = (await lab.region('us-east')).pids;
        log(execFileSync('ps', ['-o', 'pid,stat,wchan:20,args', '-p', pids.join(',')]).toString());
        log(execFileSync('tail', ['-n', '12', lab.dir + '/logs/us-east-postgres.log', lab.dir + '/logs/ap-postgres.log', lab.dir + '/logs/eu-west-postgres.log']).toString());
        log(JSON.stringify(await lab.sql('us-east', 'select pid, state, wait_event, query from pg_stat_activity').catch(String)));
        throw new Error('stuck');
      }
      await new Promise((r) => setTimeout(r, 50));
    }
  };
  for (let i = 0; i < 12; i++) {
    for (const [region, kind, args] of [['us-east', 'freeze', {}], ['ap', 'lose', {}], ['us-east', 'partition', {from: 'ap'}], ['eu-west', 'kill', {}], ['us-east', 'partition', {}]] as const) {
      await lab.fault(region, kind, args);
      const orders = [1, 2, 3].map(() => lab.order('b').catch(() => null));
      await new Promise((r) => setTimeout(r, Math.random() * 300));
      await lab.heal(region);
      await ok(`${i} ${kind}`);
      await Promise.all(orders);
    }
  }
}, 400_000);
