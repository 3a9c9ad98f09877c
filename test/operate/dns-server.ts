import {createSocket} from 'node:dgram';
import {once} from 'node:events';

/** What a name answers: addresses with their TTL in seconds, nothing at all, or `silent`. A name that is not there does not exist. */
export type Zone = Readonly<Record<string, {readonly a?: readonly number[]; readonly aaaa?: readonly number[]} | 'silent'>>;

/** A small name server on this machine. `at` = `127.0.0.1:port`. */
export type DnsServer = {readonly at: string; readonly asked: string[]; close(): Promise<void>};

const [A, AAAA] = [1, 28];
const NXDOMAIN = 3;

export async function startDns(zone: Zone): Promise<DnsServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, {port, address}) => {
    const {name, type, end} = questionOf(query);
    const entry = zone[name];
    asked.push(`${name} ${type === A ? 'A' : type === AAAA ? 'AAAA' : type}`);
    if (entry === 'silent') return;
    const ttls = (type === A ? entry?.a : type === AAAA ? entry?.aaaa : undefined) ?? [];
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180 | (entry === undefined ? NXDOMAIN : 0), 2);
    for (const [count, at] of [
      [1, 4],
      [ttls.length, 6],
      [0, 8],
      [0, 10],
    ] as const)
      header.writeUInt16BE(count, at);
    socket.send(Buffer.concat([header, query.subarray(12, end), ...ttls.map((ttl, index) => record(type, ttl, index))]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    at: `127.0.0.1:${socket.address().port}`,
    asked,
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function questionOf(query: Buffer): {name: string; type: number; end: number} {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.subarray(at + 1, at + 1 + length).toString('latin1'));
    at += 1 + length;
  }
  return {name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5};
}

/** One address; its name is a pointer to the question. */
function record(type: number, ttl: number, index: number): Buffer {
  const data = Buffer.alloc(type === A ? 4 : 16, 127);
  data[data.length - 1] = index;
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
