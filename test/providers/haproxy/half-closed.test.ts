import {describe, expect, it} from 'vitest';
import {countHalfClosed} from '../../../src/lib/providers/haproxy/half-closed.ts';

/* As HAProxy 2.6.12 printed them: a session with a query under way, one whose client has closed its half, and one of the runtime API itself. */
const OPEN =
  '0x5613859b0ad0: proto=tcpv4 src=127.0.0.1:37758 fe=front be=be srv=us-east ts=00 epoch=0 age=1s calls=2 rate=2 cpu=0 lat=0 rq[f=848202h,i=0,an=00h,rx=59m59s,wx=,ax=] rp[f=80048202h,i=0,an=00h,rx=59m59s,wx=,ax=] scf=[8,0h,fd=12] scb=[8,1h,fd=13] exp=0s rc=0 c_exp=';
const HALF = OPEN.replace('rq[f=848202h', 'rq[f=84a020h').replace('0x5613859b0ad0', '0x5613859b0ad8');
const OURS =
  '0x7ff1d4027520: proto=tcpv4 src=127.0.0.1:43130 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0x1 age=0s calls=1 rate=1 cpu=0 lat=0 rq[f=c0a002h,i=0,an=00h,rx=10s,wx=,ax=] rp[f=80008000h,i=0,an=00h,rx=,wx=,ax=] scf=[8,0h,fd=12] scb=[8,1h,fd=-1] exp=9s rc=0 c_exp=';
const info = (version: string) => `Name: HAProxy\nVersion: ${version}\nRelease_date: 2024/11/25\nPid: 7\n`;

describe('sessions that nobody ends', () => {
  const sessions = [OPEN, HALF, OURS, ''].join('\n');

  it('are those whose client has closed its half', () => {
    expect(countHalfClosed(info('2.6.12-1+deb12u1'), sessions, ['be/us-east'])).toBe(1);
    expect(countHalfClosed(info('2.7.0'), [HALF, HALF].join('\n'), ['be/us-east', 'be/eu-west'])).toBe(2);
    expect(countHalfClosed(info('2.6.12'), sessions, ['be/eu-west', 'other/us-east'])).toBe(0);
  });

  it('cannot be told where the flags mean something else', () => {
    for (const version of ['2.8.3', '3.0.1', '2.70.0']) expect(countHalfClosed(info(version), sessions, ['be/us-east'])).toBeNull();
    expect(countHalfClosed('', sessions, ['be/us-east'])).toBeNull();
  });
});
