import { has, named, read } from './packages.ts';
import { PLACES, type Opening, type Peer } from './peer.ts';
import { OWNER } from './postgres.ts';

/*
 * pg-boss, twice: with its workers, told by NOTIFY that there is something to do, as its users have
 * it; and by its calls `fetch` and `complete`, which waits for nothing. Completed jobs are kept.
 */

interface Boss {
  on(event: 'error', call: (error: unknown) => void): unknown;
  start(): Promise<unknown>;
  stop(how: { graceful: boolean }): Promise<void>;
  createQueue(name: string, how: { notify: boolean }): Promise<void>;
  send(name: string, data: object): Promise<string | null>;
  work(name: string, how: object, handler: () => Promise<void>): Promise<string>;
  fetch(name: string): Promise<readonly { readonly id: string }[]>;
  complete(name: string, id: string): Promise<unknown>;
  getSpy(name: string): Spy;
  getDb(): { executeSql(text: string): Promise<{ readonly rows: readonly unknown[] }> };
}

/** Tells of what this process did, once the database has confirmed it. */
interface Spy {
  waitForJobWithId(id: string, state: 'completed'): Promise<unknown>;
  clear(): void;
}

interface PgBoss {
  readonly PgBoss: new (how: object) => Boss;
}

const isPgBoss = (module: unknown): module is PgBoss => has(module, ['PgBoss']);

/** Its shortest, which counts where it can't be told; else it looks by itself each 30 s only. */
const POLLING = { pollingIntervalSeconds: 0.5 };

export async function openPgBoss({ load, server, toClose }: Opening): Promise<readonly Peer[]> {
  const { PgBoss } = load('pg-boss', isPgBoss);
  const boss = new PgBoss({
    host: server.socket,
    user: OWNER,
    database: 'postgres',
    max: 20,
    useListenNotify: true,
    supervise: false,
    schedule: false,
    __test__enableSpies: true,
  });
  // Whoever waits for what went wrong says so.
  boss.on('error', () => undefined);
  toClose(() => boss.stop({ graceful: true }));
  await boss.start();
  const startedAt: number[] = [];
  const start = (place: number): void => void (startedAt[place] = performance.now());
  const spies: Spy[] = [];
  for (const place of PLACES) {
    await boss.createQueue(working(place), { notify: true });
    await boss.createQueue(fetching(place), { notify: false });
    await boss.work(working(place), POLLING, () => Promise.resolve(start(place)));
    spies.push(boss.getSpy(working(place)));
  }
  const same = {
    kind: 'pg-boss',
    measures: ['one at a time', '16 at once', 'call to start'],
  } as const;
  return [
    {
      ...same,
      name: 'pg-boss, its workers',
      how: `${named('pg-boss')}, 16 queues, NOTIFY, no maintenance, synchronous_commit on`,
      async lifecycle(place) {
        const id = await send(boss, working(place));
        await spies[place]?.waitForJobWithId(id, 'completed');
        // It looks through all that it knows at each call.
        spies[place]?.clear();
        return startedAt[place] ?? NaN;
      },
      kept: () => completed(boss, working(0)),
    },
    {
      ...same,
      name: 'pg-boss, fetch and complete',
      how: 'the same, without its workers: fetched at once, and completed',
      async lifecycle(place) {
        const queue = fetching(place);
        const id = await send(boss, queue);
        const [job] = await boss.fetch(queue);
        if (job?.id !== id) throw new Error(`pg-boss gave ${job?.id} for ${id}`);
        start(place);
        await boss.complete(queue, id);
        return startedAt[place] ?? NaN;
      },
      kept: () => completed(boss, fetching(0)),
    },
  ];
}

const working = (place: number): string => `work-${place}`;
const fetching = (place: number): string => `fetch-${place}`;

async function send(boss: Boss, queue: string): Promise<string> {
  const id = await boss.send(queue, {});
  if (id === null) throw new Error('pg-boss took no job');
  return id;
}

/** How many are completed in all queues that are named as this one, but for its number. */
async function completed(boss: Boss, queue: string): Promise<number> {
  const names = queue.replace(/\d+$/, '%');
  const where = `state = 'completed' AND name LIKE '${names}'`;
  const { rows } = await boss.getDb().executeSql(`SELECT count(*) FROM pgboss.job WHERE ${where}`);
  return Number(read(rows[0], 'count'));
}
