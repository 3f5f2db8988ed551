import { has, named, read } from './packages.ts';
import { AT_ONCE, placeOf, UnderWay, type Measure, type Opening, type Peer } from './peer.ts';
import { OWNER } from './postgres.ts';

/*
 * graphile-worker deletes a job that is done, so its handler writes the outcome in a table of ours,
 * in a transaction of its own. That is where a lifecycle ends: the deletion goes on behind it.
 * Twice, each in a database of its own: as it comes for one at a time; and for 16 at once as its
 * documentation recommends, with jobs fetched and deleted in batches.
 */

interface Helpers {
  readonly job: { readonly id: string };
  readonly withPgClient: <T>(call: (client: Client) => Promise<T>) => Promise<T>;
}

interface Client {
  query(query: string | Prepared): Promise<{ readonly rows: readonly unknown[] }>;
}

/** Is planned once for each connection. */
interface Prepared {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

interface Utils {
  migrate(): Promise<void>;
  addJob(name: string, payload: object): Promise<unknown>;
  withPgClient<T>(call: (client: Client) => Promise<T>): Promise<T>;
  release(): unknown;
}

interface Graphile {
  readonly Logger: new (factory: () => () => void) => object;
  readonly makeWorkerUtils: (how: object) => Promise<Utils>;
  readonly run: (how: object) => Promise<Runner>;
}

interface Runner {
  stop(): Promise<void>;
  /** Settles when it has ended. */
  readonly promise: Promise<void>;
}

interface Pg {
  readonly Client: new (how: object) => Client & { connect(): Promise<void>; end(): Promise<void> };
}

const isGraphile = (module: unknown): module is Graphile =>
  has(module, ['Logger', 'makeWorkerUtils', 'run']);
const isPg = (module: unknown): module is Pg => has(module, ['Client']);

const BATCHES = {
  concurrentJobs: AT_ONCE,
  localQueue: { size: AT_ONCE + 1 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};

const HISTORY = `
  CREATE TABLE IF NOT EXISTS history (
    id bigint PRIMARY KEY, outcome text NOT NULL, at timestamptz NOT NULL DEFAULT now()
  )`;

const INSERT = {
  name: 'keep-outcome',
  text: 'INSERT INTO history (id, outcome) VALUES ($1, $2)',
} as const;

export async function openGraphile(opening: Opening): Promise<readonly Peer[]> {
  const one = await openPeer(opening, {
    name: 'graphile-worker',
    database: 'one',
    set: 'as it comes',
    worker: { concurrentJobs: 1 },
    measures: ['one at a time', 'call to start'],
  });
  const many = await openPeer(opening, {
    name: 'graphile-worker, in batches',
    database: 'many',
    set: 'concurrentJobs 16, localQueue 17, completeJobBatchDelay 0',
    worker: BATCHES,
    measures: ['16 at once'],
  });
  return [one, many];
}

interface Setting {
  readonly name: string;
  readonly database: string;
  readonly set: string;
  readonly worker: object;
  readonly measures: readonly Measure[];
}

async function openPeer(
  { load, server: { socket }, toClose }: Opening,
  { name, database, set, worker, measures }: Setting,
): Promise<Peer> {
  const { Logger, makeWorkerUtils, run } = load('graphile-worker', isGraphile);
  await createDatabase(load('pg', isPg), socket, database);
  const connectionString = `postgres://${OWNER}@${encodeURIComponent(socket)}/${database}`;
  const logger = new Logger(() => () => undefined);
  const shared = { connectionString, maxPoolSize: 2 * AT_ONCE };
  const utils = await makeWorkerUtils({ preset: { worker: shared }, logger });
  toClose(async () => utils.release());
  await utils.migrate();
  await utils.withPgClient((client) => client.query(HISTORY));
  const underWay = new UnderWay();
  const task = async (payload: unknown, { job, withPgClient }: Helpers): Promise<void> => {
    const place = placeOf(payload);
    underWay.started(place);
    const outcome = { ...INSERT, values: [job.id, 'succeeded'] };
    await withPgClient((client) => client.query(outcome));
    underWay.ended(place);
  };
  const runner = await run({
    preset: { worker: { ...shared, ...worker } },
    logger,
    noHandleSignals: true,
    taskList: { bench: task },
  });
  toClose(() => runner.stop());
  runner.promise.catch((error: unknown) => underWay.failed(error));
  return {
    name,
    kind: 'graphile-worker',
    how: `${named('graphile-worker')}, ${set}, outcomes in a table of ours, synchronous_commit on`,
    measures,
    lifecycle: (place) => underWay.lifecycle(place, () => utils.addJob('bench', { place })),
    async kept() {
      const counted = 'SELECT count(*) FROM history';
      const { rows } = await utils.withPgClient((client) => client.query(counted));
      return Number(read(rows[0], 'count'));
    },
  };
}

async function createDatabase({ Client }: Pg, socket: string, database: string): Promise<void> {
  const client = new Client({ host: socket, user: OWNER, database: 'postgres' });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${database}`);
  } finally {
    await client.end();
  }
}
