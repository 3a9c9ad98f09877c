import type {Rule, Server} from './server.ts';
import {keepFollowing} from './stream.ts';

/** How long a clean stop waits for its standbys. */
const SHIP_MS = 5000;
const SHIP_LOOK_MS = 10;

/** The server's processes are gone at once, with what they had in memory; its disk stays. A frozen one can be killed too. */
export function crash(server: Server): void {
  if (server.status === 'stopped') return;
  server.life++;
  server.status = 'stopped';
  server.frozen = false;
  server.thawNothing();
  server.promoting = false;
  server.replaying = false;
  for (const backend of [...server.backends]) server.end(backend);
  server.commits.clear();
  server.receiver?.dropReceiver();
  for (const sender of [...server.senders]) sender.dropSender();
}

/** Starts as what the disk says. A standby does not know how far it had received before it has replayed all of it. */
export function start(server: Server, done: () => void = () => {}): void {
  if (server.status !== 'stopped') {
    done();
    return;
  }
  const {random, scheduler} = server.ground;
  server.life++;
  server.status = 'starting';
  Object.assign(server.live, server.file);
  server.followed = server.file.conninfo;
  server.after(random.int(30, 400), () => {
    if (server.status !== 'starting') return;
    server.status = 'running';
    Object.assign(server.hba, {loadedClosed: server.hba.closed, loadedAt: scheduler.now});
    if (!server.hba.closed) server.proven = null;
    server.replaying = server.role === 'standby';
    server.replayed = server.role === 'standby' ? Math.max(0, server.log.length - random.int(0, 5)) : server.log.length;
    server.after(random.int(5, 120), () => {
      server.replaying = false;
      server.replayed = server.log.length;
    });
    keepFollowing(server);
    done();
  });
}

/** A clean stop: sessions are ended, then everything is shipped to the standbys that listen. A frozen server never gets there. */
export function stop(server: Server, done: () => void): void {
  server.receive(() => {
    if (server.status === 'stopped') {
      done();
      return;
    }
    server.status = 'stopping';
    for (const backend of [...server.backends]) server.end(backend);
    server.receiver?.endReceiver();
    if (server.role === 'primary') server.append({epoch: server.epoch, write: null});
    const end = server.ground.scheduler.now + SHIP_MS;
    const ship = (): void => {
      const shipped = [...server.senders].every(({flushed}) => flushed >= server.log.length);
      if (!shipped && server.ground.scheduler.now < end) {
        server.after(SHIP_LOOK_MS, ship);
        return;
      }
      crash(server);
      done();
    };
    ship();
  });
}

/** The data directory becomes a standby's, of `upstream`; '' = of nobody. */
export function makeStandby(server: Server, upstream: string): void {
  server.role = 'standby';
  server.file.conninfo = upstream;
}

/** A base backup: the server is another's copy from now on, with that one's access rules, and its own rule of who must acknowledge. */
export function rebuild(server: Server, source: Server, rule: Rule): void {
  crash(server);
  server.log = [...source.log];
  server.forkAt = source.forkAt;
  server.replayed = server.log.length;
  Object.assign(server.hba, {closed: false, kept: false});
  server.proven = null;
  server.file.rule = rule;
  makeStandby(server, source.name);
}

/** Takes the data back to where it left the history of `source`: what it had of its own is gone, and the rest comes by streaming. */
export function rewind(server: Server, source: Server): void {
  let common = Math.min(server.log.length, source.log.length);
  while (common > 0 && server.log[common - 1] !== source.log[common - 1]) common--;
  server.forkAt = 0;
  const kept = server.log.slice(0, common);
  server.log = [];
  server.hold(kept);
  server.replayed = common;
  Object.assign(server.hba, {closed: false, kept: false});
  server.proven = null;
  makeStandby(server, source.name);
}

/** Ends recovery: what is on disk is replayed, then a new timeline begins. A crash in between leaves a standby. */
export function promote(server: Server): void {
  const {random, scheduler} = server.ground;
  server.promoting = true;
  server.after(random.int(4, 60), () => {
    server.receiver?.endReceiver();
    const epoch = server.epoch + 1;
    server.promoting = false;
    server.role = 'primary';
    server.append({epoch, write: null});
    server.ground.onPromoted(server);
    server.ground.note(`${server.name} is primary on timeline ${epoch} at ${scheduler.now.toFixed(0)}`);
  });
}
