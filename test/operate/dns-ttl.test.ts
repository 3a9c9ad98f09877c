import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {nameIn, ttlSeconds} from '../../src/lib/operate/dns-ttl.ts';
import {type DnsServer, startDns} from './dns-server.ts';

let dns: DnsServer;
beforeAll(async () => {
  dns = await startDns({
    'shop.example.com': {a: [300, 60]},
    'both.example.com': {a: [60], aaaa: [900]},
    'six.example.com': {aaaa: [120]},
    'empty.example.com': {},
    'slow.example.com': 'silent',
  });
});
afterAll(() => dns.close());
const ttl = (name: string, signal = AbortSignal.timeout(10_000)) => ttlSeconds(name, signal, [dns.at]);

describe('how long a name is kept', () => {
  it('the longest of its addresses counts, of either kind', async () => {
    expect(await Promise.all(['shop', 'both', 'six'].map((name) => ttl(`${name}.example.com`)))).toEqual([300, 900, 120]);
    expect(dns.asked).toEqual(expect.arrayContaining(['both.example.com A', 'both.example.com AAAA']));
  });

  it('is not known of a name that nobody has, and says so', async () => {
    await expect(ttl('nobody.example.com')).rejects.toThrow('its DNS TTL could not be looked up: ENOTFOUND');
    await expect(ttl('empty.example.com')).rejects.toThrow('its DNS TTL could not be looked up: ENODATA');
  });

  it('a server that says nothing is waited for a second, and not when the caller gives up', async () => {
    const began = performance.now();
    await expect(ttl('slow.example.com')).rejects.toThrow(/could not be looked up: (no answer within 1000 ms|ETIMEOUT)/);
    expect(performance.now() - began).toBeLessThan(5000);
    await expect(ttl('slow.example.com', AbortSignal.abort(new Error('given up')))).rejects.toThrow('given up');
    const soon = new AbortController();
    const asked = ttl('slow.example.com', soon.signal);
    soon.abort(new Error('given up'));
    await expect(asked).rejects.toThrow('given up');
  });
});

describe('the host of an address', () => {
  it.each([
    ['https://shop.example.com:8443/pay', 'shop.example.com'],
    ['https://shop.example.com./', 'shop.example.com'],
    ['http://127.0.0.1:8080', null],
    ['http://[::1]:8080/', null],
    ['http://localhost:8080', null],
    ['http://front.localhost/', null],
  ])('%s: %s', (url, name) => expect(nameIn(url)).toBe(name));
});
