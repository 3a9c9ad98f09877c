import {createSocket} from 'node:dgram';
import type {AddressInfo} from 'node:net';

/** How a question is answered: with addresses, with texts, with an error of DNS (3 = no such name, 2 = failed, 5 = refused), with garbage, or not at all. */
export type Zone = Readonly<
  Record<string, {readonly a?: readonly string[]; readonly txt?: readonly string[]; readonly code?: number} | 'silence' | 'garbage'>
>;

/** A name server on loopback that knows a few names. */
export async function nameServer(zone: Zone): Promise<{port: number; close(): Promise<void>}> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const answer = answerTo(question, zone);
    if (answer !== null) socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  return {port: (socket.address() as AddressInfo).port, close: () => new Promise((done) => socket.close(() => done()))};
}

function answerTo(question: Buffer, zone: Zone): Buffer | null {
  const {name, end} = nameAt(question);
  const known = zone[name] ?? {code: 3};
  if (known === 'silence') return null;
  if (known === 'garbage') return Buffer.concat([question.subarray(0, 2), Buffer.from('garbage')]);
  const {a = [], txt = [], code = 0} = known;
  const asked = question.readUInt16BE(end);
  const records = asked === 1 ? a.map(address) : asked === 16 ? txt.map(text) : [];
  const head = Buffer.alloc(12);
  question.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, question.subarray(12, end + 4), ...records]);
}

function nameAt(question: Buffer): {name: string; end: number} {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('ascii', at + 1, at + 1 + length));
    at += length + 1;
  }
  return {name: labels.join('.'), end: at + 1};
}

const address = (ip: string): Buffer => record(1, Buffer.from(ip.split('.').map(Number)));
const text = (value: string): Buffer => record(16, Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]));

/** The name is a pointer to the question's. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
