import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LIMITS } from '../../server/http/server.ts';
import {
  fixture,
  startServer,
  tempFolder,
  until,
  type ListedRun,
  type RunJson,
  type ServerProcess,
} from './server.ts';

/** What somebody can do who does not mean well, or has a very bad line. */
describe('2,000 connections that are slow or half open', () => {
  test('keep no run from its time, and are gone when theirs is up', async () => {
    const server = await startServer({
      PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
      PUNCTUAL_JOBS: fixture('seconds.ts'),
    });
    const before = openIn(server);
    const page = await (await fetch(`${server.url}/`, HTML)).text();
    const script = /\/assets\/app-\w+\.js/.exec(page)?.[0] ?? '/';

    const get = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n';
    const held = [
      ...(await many(50, () => deaf(server, `GET ${script} HTTP/1.1\r\nHost: localhost\r\n\r\n`))),
      ...(await many(500, () => saying(server, partOfABody))),
      ...(await many(450, () => saying(server, ''))),
      ...(await many(500, () => letterByLetter(server, get))),
      ...(await many(500, () => letterByLetter(server, `${get}X-Long: ${'x'.repeat(500)}`))),
    ];
    const heldAt = Date.now();
    await pause(LIMITS.headersMs - 3000);
    const well = await healthOf(server);
    const meanwhile = await server.runs('each-second');

    // The last one may be at work just then.
    const during = meanwhile.filter(
      (run) => Date.parse(run.scheduledAt ?? '') >= heldAt && run.state !== 'running',
    );
    expect(held.filter((one) => connected.has(one))).toHaveLength(2000);
    expect(well.status).toBe(200);
    expect(well.tookMs).toBeLessThan(10_000);
    expect(during.length).toBeGreaterThanOrEqual(2);
    for (const run of during) expect(run).toMatchObject({ state: 'succeeded' });
    expect(latestOf(during)).toBeLessThan(LATE_MS);

    const longestMs = Math.max(LIMITS.requestMs, 2 * LIMITS.stalledMs);
    await until(async () => openIn(server) < before + 10, longestMs + 30_000);
    expect((await healthOf(server)).status).toBe(200);
    expect(await server.end('SIGTERM')).toBe(0);
  }, 150_000);
});

describe('a process that may have few files open', () => {
  test('keeps enough of them for its store and its jobs, whoever connects', async () => {
    const server = await startServer(
      {
        PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
        PUNCTUAL_JOBS: fixture('descriptors.ts'),
      },
      300,
    );

    await many(1000, () => saying(server, 'GET /heal'));
    const heldAt = Date.now();
    // Not after a fixed time: on a slow machine the first are gone by then.
    let most = 0;
    await until(async () => {
      most = openIn(server);
      return most >= 150 && server.output().includes('too_many_connections');
    }, 20_000);
    const refused = await healthOf(server).catch(() => 'refused');
    const well = await until(async () => {
      most = Math.max(most, openIn(server));
      const health = await healthOf(server).catch(() => undefined);
      return health?.status === 200;
    }, LIMITS.headersMs + 30_000);

    expect(most).toBeLessThan(200);
    expect([refused, well]).toEqual(['refused', true]);
    await expectOnTime(server, heldAt);
  }, 120_000);

  test('outlives a job that takes all of them', async () => {
    const server = await startServer(
      {
        PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
        PUNCTUAL_JOBS: fixture('descriptors.ts'),
      },
      300,
    );
    const startedAt = Date.now();

    const { id } = await server.trigger('greedy', 0);
    await many(50, () => saying(server, 'GET /heal'));
    const run = await until(async () => {
      const path = `/api/v1/runs/${encodeURIComponent(id)}`;
      const found = await server.json<RunJson>(path).catch(() => undefined);
      return found?.state === 'succeeded' && found;
    }, 30_000);

    expect(run.output).toBeGreaterThan(200);
    expect((await healthOf(server)).status).toBe(200);
    expect(server.child.exitCode).toBeNull();
    const after = Date.now();
    await until(async () => (await startedAfter(server, after)).length >= 2, 30_000);
    expect(Date.now() - startedAt).toBeLessThan(80_000);
  }, 120_000);
});

/** Far less than whoever is kept from its time has to wait, and as much as a busy machine takes. */
const LATE_MS = 10_000;

const HTML = { headers: { Accept: 'text/html' } };

/** Some at once, so that they do not have to wait for each other, nor for a place in the queue. */
async function many(count: number, make: () => Promise<Socket>): Promise<Socket[]> {
  const made: Socket[] = [];
  while (made.length < count) {
    made.push(...(await Promise.all(Array.from({ length: 50 }, make))));
  }
  return made;
}

/** How many files and connections a server has open. */
const openIn = ({ child }: ServerProcess): number => readdirSync(`/proc/${child.pid}/fd`).length;

/** Whether a new client is answered, and how soon. */
async function healthOf({ url }: ServerProcess) {
  const startedAt = performance.now();
  const answer = await fetch(`${url}/healthz`, { headers: { Connection: 'close' } });
  await answer.arrayBuffer();
  return { status: answer.status, tookMs: performance.now() - startedAt };
}

const startedAfter = async (server: ServerProcess, at: number) =>
  (await server.runs('each-second')).filter((run) => Date.parse(run.scheduledAt ?? '') > at);

const latestOf = (runs: readonly ListedRun[]): number =>
  Math.max(...runs.map(({ latenessMs }) => latenessMs ?? Infinity));

async function expectOnTime(server: ServerProcess, since: number): Promise<void> {
  const runs = await until(async () => {
    const over = (await startedAfter(server, since)).filter(({ state }) => state !== 'running');
    return over.length >= 8 && over;
  }, 30_000);
  for (const run of runs) expect(run).toMatchObject({ state: 'succeeded' });
  expect(latestOf(runs)).toBeLessThan(LATE_MS);
}

const connected = new WeakSet<Socket>();

/** A connection that is open, or was turned away. */
async function opened({ url }: ServerProcess): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.once('connect', () => connected.add(socket));
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return socket;
}

async function saying(server: ServerProcess, text: string): Promise<Socket> {
  const socket = await opened(server);
  socket.write(text);
  return socket;
}

const partOfABody = [
  'POST /api/v1/jobs/each-second/runs HTTP/1.1\r\nHost: localhost',
  'Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"input": "',
].join('\r\n');

async function letterByLetter(server: ServerProcess, text: string): Promise<Socket> {
  const socket = await opened(server);
  let at = 0;
  const timer = setInterval(() => socket.write(text.charAt(at++ % text.length)), 300);
  socket.once('close', () => clearInterval(timer));
  return socket;
}

/** Asks for far more than the system keeps for it on the way, and takes none of it. */
async function deaf(server: ServerProcess, text: string): Promise<Socket> {
  const socket = await opened(server);
  socket.pause();
  socket.write(text.repeat(80));
  return socket;
}
