import type {Client} from 'pg';
import {afterAwake} from '../../awake.ts';
import type {Meter} from '../meter.ts';
import type {Dial, Line, Outcome} from '../write-lines.ts';
import {attemptClient, destroy, type Place} from './connect.ts';
import {secureLine} from './secure-line.ts';
import {codeOf} from './trouble.ts';
import {INSERT} from './witness-table.ts';

/**
 * What is known of a member: whether it refused the last write as a standby does, when it last said anything (monotonic ms), and which sessions are to
 * be ended when it says something again.
 */
export type Witnessed = {readOnly: boolean; heardAt: number; left: Client[]};

/** Where the lines of a writer lead, and for which run they write. */
export type LineTo = {
  readonly place: Place;
  readonly run: string;
  readonly member: Witnessed;
  readonly meter: Meter;
  readonly now: () => number;
};

/* A standby that was asked to insert writes an error into its log each time. */
const MAY_WRITE = `select current_setting('transaction_read_only') = 'off' as "may"`;
const NEVER_MS = 2 ** 31 - 1;
const CANCEL_MS = 1000;
/** PostgreSQL's code for a warning: it committed, and waits for standbys no more. */
const WARNING = '01000';
/* The server said no, and the transaction with it. Where it ends the session, nobody knows how far it had come. */
const SAYS_NO = /^(?!57P|08)[0-9A-Z]{5}$/;
const READ_ONLY = '25006';

/** Begins a connection to the member. */
export function dialMember(to: LineTo, gone: () => void): Dial {
  const attempt = attemptClient(to.place, gone);
  const line = attempt.opened.then((client) => {
    heard(to);
    return lineOver(client, to);
  });
  return {line, isAccepted: attempt.isWaiting, drop: attempt.drop};
}

type Under = {sent: boolean; sentAt: number; warned: boolean};

function lineOver(client: Client, to: LineTo): Line {
  let under: Under | null = null;
  client.on('notice', ({code}) => {
    if (under !== null && code === WARNING) under.warned = true;
  });
  const stream = (client as unknown as Internals).connection.stream;
  to.meter.before(stream);
  to.meter.after(stream);
  return {
    write(ref, ended) {
      const mine: Under = {sent: false, sentAt: 0, warned: false};
      under = mine;
      const end = (outcome: Outcome): void => {
        if (under === mine) under = null;
        ended(outcome);
      };
      if (to.member.readOnly) askFirst(client, to, mine, ref, end);
      else insert(client, to, mine, ref, end);
      return () => {
        under = null;
        destroy(client);
        if (mine.sent) leave(to, client, mine);
        return mine.sent ? 'unknown' : 'failed';
      };
    },
    destroy: () => destroy(client),
  };
}

type End = (outcome: Outcome) => void;
type Internals = {
  readonly connection: {readonly stream: import('node:net').Socket};
  readonly processID: number;
  readonly secretKey: number;
};

function insert(client: Client, to: LineTo, mine: Under, ref: string, end: End): void {
  mine.sent = true;
  mine.sentAt = to.now();
  const query = {name: 'regionctl_witness', text: INSERT, values: [to.run, ref], query_timeout: NEVER_MS};
  void client.query(query, (error) => {
    const code = codeOf(error);
    const answered = !error || SAYS_NO.test(code);
    if (answered) heard(to);
    if (code === READ_ONLY) to.member.readOnly = true;
    else if (!error) to.member.readOnly = false;
    if (error) end(answered ? 'failed' : 'unknown');
    else end(mine.warned ? 'unknown' : 'acknowledged');
  });
}

function askFirst(client: Client, to: LineTo, mine: Under, ref: string, end: End): void {
  void client.query({text: MAY_WRITE, query_timeout: NEVER_MS} as {text: string}, (error, result) => {
    if (!error) heard(to);
    if (error || result?.rows[0]?.may !== true) end('failed');
    else insert(client, to, mine, ref, end);
  });
}

/** A commit that waits for standbys goes on waiting when its client is gone, and keeps its connection. A server that stands still is left alone. */
function leave(to: LineTo, client: Client, {sentAt}: Under): void {
  if (to.member.heardAt > sentAt) cancel(to.place, client).catch(() => undefined);
  else to.member.left.push(client);
}

function heard({member, now, place}: LineTo): void {
  member.heardAt = now();
  for (const client of member.left.splice(0)) cancel(place, client).catch(() => undefined);
}

/** Asks the server to end what a session does. Needs no login and none of its connections. */
async function cancel(place: Place, client: Client): Promise<void> {
  const {processID, secretKey} = client as unknown as Internals;
  const request = Buffer.alloc(16);
  for (const [index, value] of [16, 80_877_102, processID, secretKey].entries()) request.writeInt32BE(value, index * 4);
  const over = new AbortController();
  const callOff = afterAwake(CANCEL_MS, () => over.abort(new Error('the server did not take it in time')), true);
  try {
    const trust = await place.secure?.();
    const {connect} = await import('node:net');
    const socket =
      trust === undefined ? connect({host: place.host, port: place.port}) : await secureLine(place, trust, () => undefined, over.signal);
    over.signal.addEventListener('abort', () => socket.destroy(), {once: true});
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.end(request);
      socket.resume();
    });
  } finally {
    callOff();
  }
}
