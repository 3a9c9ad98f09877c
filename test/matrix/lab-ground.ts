import {LabSession} from '../e2e/lab-session.ts';
import {endedWith, type Fault, type Ground} from './ground.ts';

const HOME = 'us-east';
const REGIONS = [HOME, 'eu-west', 'ap'];

/** A lab of three regions, ANY 1 of two standbys, with its own front door. */
export async function labGround(): Promise<Ground> {
  const lab = new LabSession();
  const {frontDoor} = await lab.up();
  const password = lab.secret('app').trim();
  return {
    regions: REGIONS,
    connect: (region, settings) => lab.connect(region, {...settings, password}),
    admin: (region) => lab.connect(region),
    enter: (id) => order(frontDoor ?? '', id),
    held: `select id::text from written union all select substr(ref, 3) from orders where ref like 'm-%'`,
    alone: false,
    regionctl: async (...args) => {
      const ran = await lab.run([...args, '--json'], {timeoutMs: 120_000});
      return endedWith(ran.code, ran);
    },
    delay: async (slow, ms) => {
      if (ms === 0) await lab.lab('heal', slow);
      else await lab.lab('fault', 'latency', slow, '--from', HOME, '--ms', String(ms));
    },
    begin: async (fault: Fault) => {
      await lab.lab('fault', fault, HOME);
    },
    end: async () => {
      await lab.lab('heal', HOME);
    },
    remove: () => lab.remove(),
  };
}

async function order(frontDoor: string, id: number): Promise<string> {
  const body = JSON.stringify({ref: `m-${id}`, item: 'matrix', quantity: 1});
  const headers = {'content-type': 'application/json', connection: 'close'};
  const answer = await fetch(`${frontDoor}/orders`, {method: 'POST', headers, body, signal: AbortSignal.timeout(2000)});
  await answer.text();
  if (!answer.ok) throw new Error(`the front door answered ${answer.status}`);
  return answer.headers.get('x-region') ?? 'nobody';
}
