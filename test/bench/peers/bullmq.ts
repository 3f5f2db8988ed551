import { has, named, read, VERSIONS, type Load } from './packages.ts';
import {
  AT_ONCE,
  collect,
  fineClock,
  placeOf,
  PLACES,
  UnderWay,
  type EverySecond,
  type Opening,
  type Peer,
  type ToClose,
} from './peer.ts';
import { OWNER } from './postgres.ts';
import type { Fsync } from './redis.ts';
import type { Server } from './server.ts';

/*
 * BullMQ, on Redis: its documentation tells of connections that queues and workers share, which is
 * faster here than one for each. Jobs that are completed stay where they are.
 */

interface Queue {
  on(event: 'error', call: (error: Error) => void): unknown;
  add(name: string, data: object): Promise<unknown>;
  upsertJobScheduler(id: string, schedule: { pattern: string }, job: object): Promise<unknown>;
  removeJobScheduler(id: string): Promise<unknown>;
  getCompletedCount(): Promise<number>;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

interface Worker {
  on(event: 'completed', call: (job: Job) => void): unknown;
  on(event: 'error', call: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

interface Job {
  readonly data: unknown;
  readonly opts: unknown;
}

interface WorkerOptions {
  readonly connection: object;
  readonly concurrency: number;
}

/** What keeps the jobs: Redis, if not given. */
type Backend = (...args: readonly unknown[]) => unknown;

interface BullMq {
  readonly Queue: new (name: string, how: { connection: object }, backend?: Backend) => Queue;
  readonly Worker: new (
    name: string,
    handler: (job: Job) => Promise<void>,
    how: WorkerOptions,
    backend?: Backend,
  ) => Worker;
  readonly createPostgresBackend: Backend;
}

interface IoRedis {
  readonly Redis: new (how: { path: string; maxRetriesPerRequest: null }) => Connection;
}

interface Connection {
  on(event: 'error', call: (error: Error) => void): unknown;
  quit(): Promise<unknown>;
}

const isBullMq = (module: unknown): module is BullMq =>
  has(module, ['Queue', 'Worker', 'createPostgresBackend']);
const isIoRedis = (module: unknown): module is IoRedis => has(module, ['Redis']);

/** With a queue for each place, and with one queue whose worker has as many places. */
export async function openBullMq(
  fsync: Fsync,
  { load, server, toClose }: Opening,
): Promise<readonly Peer[]> {
  const bullMq = load('bullmq', isBullMq);
  const { Redis } = load('ioredis', isIoRedis);
  const connection = new Redis({ path: server.socket, maxRetriesPerRequest: null });
  toClose(() => connection.quit());
  const how = `ioredis ${VERSIONS.ioredis} on a socket, appendfsync ${fsync}, completed jobs kept`;
  const parts = { bullMq, connection, toClose };
  const one = await openQueues(parts, ['wide'], AT_ONCE);
  const many = await openQueues(
    parts,
    PLACES.map((place) => `place-${place}`),
    1,
  );
  const kind = `BullMQ with ${fsync}` as const;
  return [
    {
      ...many,
      name: `${kind}, 16 queues`,
      kind,
      how: `${named('bullmq')}, ${how}`,
      measures: ['one at a time', '16 at once', 'call to start'],
    },
    {
      ...one,
      name: `${kind}, one queue`,
      kind,
      how: 'the same, a worker with a concurrency of 16',
      measures: ['16 at once'],
    },
  ];
}

interface Parts {
  readonly bullMq: BullMq;
  readonly connection: Connection;
  readonly toClose: ToClose;
}

async function openQueues(
  { bullMq: { Queue, Worker }, connection, toClose }: Parts,
  names: readonly string[],
  concurrency: number,
): Promise<Pick<Peer, 'lifecycle' | 'kept'>> {
  const underWay = new UnderWay();
  const fail = (error: Error): void => underWay.failed(error);
  connection.on('error', fail);
  const handler = (job: Job): Promise<void> => {
    underWay.started(placeOf(job.data));
    return Promise.resolve();
  };
  const queues = names.map((name) => new Queue(name, { connection }));
  const workers = names.map((name) => new Worker(name, handler, { connection, concurrency }));
  toClose(() => Promise.all([...workers, ...queues].map((each) => each.close())));
  for (const worker of workers) {
    // Told when Redis has answered that it is among the completed ones.
    worker.on('completed', ({ data }) => underWay.ended(placeOf(data)));
  }
  for (const each of [...queues, ...workers]) each.on('error', fail);
  await Promise.all([...queues, ...workers].map((each) => each.waitUntilReady()));
  return {
    lifecycle(place) {
      const queue = queues[place % queues.length];
      if (queue === undefined) throw new Error(`there is no queue for ${place}`);
      return underWay.lifecycle(place, () => queue.add('bench', { place }));
    },
    async kept() {
      const counts = await Promise.all(queues.map((queue) => queue.getCompletedCount()));
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}

export function bullMqOnRedisEverySecond(load: Load, { socket }: Server): EverySecond {
  return everySecond(load('bullmq', isBullMq), {
    name: 'BullMQ with always',
    how: `${named('bullmq')}, its job scheduler, appendfsync always`,
    connection: { path: socket, maxRetriesPerRequest: null },
    backend: [],
  });
}

/** It has a store in PostgreSQL, too, since its version 6. */
export function bullMqOnPostgresEverySecond(load: Load, { socket }: Server): EverySecond {
  const bullMq = load('bullmq', isBullMq);
  return everySecond(bullMq, {
    name: 'BullMQ on PostgreSQL',
    how: `${named('bullmq')}, its job scheduler, synchronous_commit on`,
    connection: { host: socket, user: OWNER, database: 'postgres', migrate: true },
    backend: [bullMq.createPostgresBackend],
  });
}

const QUEUE = 'every-second';

function everySecond(
  { Queue, Worker }: BullMq,
  {
    name,
    how,
    connection,
    backend,
  }: {
    readonly name: string;
    readonly how: string;
    readonly connection: object;
    readonly backend: readonly [] | readonly [Backend];
  },
): EverySecond {
  return {
    name,
    how,
    async lateness(count) {
      const now = fineClock();
      const { take, fail, all } = collect(count);
      const queue = new Queue(QUEUE, { connection }, ...backend);
      queue.on('error', fail);
      await queue.waitUntilReady();
      const handler = (job: Job): Promise<void> => {
        take(now() - scheduledAt(job));
        return Promise.resolve();
      };
      const worker = new Worker(QUEUE, handler, { connection, concurrency: 1 }, ...backend);
      worker.on('error', fail);
      try {
        await worker.waitUntilReady();
        await queue.upsertJobScheduler(QUEUE, { pattern: '* * * * * *' }, { name: 'bench' });
        return await all;
      } finally {
        await queue.removeJobScheduler(QUEUE);
        await worker.close();
        await queue.close();
      }
    },
  };
}

/** The second that a scheduled job is meant for. */
function scheduledAt({ opts }: Job): number {
  const prevMillis = read(opts, 'prevMillis');
  if (typeof prevMillis === 'number') return prevMillis;
  throw new Error('a scheduled job does not say what for');
}
