/**
 * Moves house: everything that one machine's database holds, to Firestore.
 *
 *   npm run store:copy -- --from sqlite:.data/punctual.db --to firestore:my-project
 *   npm run store:copy -- --from sqlite:.data/punctual.db --to firestore:my-project/my-database
 *   npm run store:copy -- --unseal sqlite:.data/punctual.db      takes a move back
 *
 * Stop the server first: a database that somebody has open is refused. The database is sealed: it
 * takes no more changes, so that its jobs can't run in two places. What is copied are all jobs, all
 * runs with their logs, the schedules through time, the actions and the tokens; then both are read
 * from end to end and compared. Interrupted, the same command goes on where it was. At the end,
 * start the service with PUNCTUAL_STORE=firestore.
 *
 * Exits 2, with the reason, where it can't be done.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../server/config.ts';
import { isoInstant } from '../server/core/time.ts';
import { systemClock } from '../server/process/clock.ts';
import { openFirestoreStore, type FirestoreStore } from '../server/stores/firestore.ts';
import { moveStore, type Moved } from '../server/stores/moving.ts';
import { sealDatabase, unsealDatabase } from '../server/stores/sqlite-seal.ts';
import { openSqliteStore } from '../server/stores/sqlite.ts';
import { fail } from './open.ts';
import { BadUsage, usageOf } from './usage.ts';

const CALL_MS = 30_000;
const NAMES = { runs: 'runs copied', jobs: 'jobs copied', checked: 'runs compared' } as const;

try {
  await main();
} catch (error) {
  fail(error);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
      to: { type: 'string' },
      unseal: { type: 'string' },
    },
  });
  if (values.unseal !== undefined) return unseal(pathOf(values.unseal, '--unseal'));
  if (values.help || values.from === undefined || values.to === undefined) {
    console.log(usageOf('store-copy.ts'));
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  await copy(pathOf(values.from, '--from'), values.to);
}

function unseal(path: string): void {
  const done = unsealDatabase(path);
  console.log(
    done
      ? `${path} may be used again. Make sure that its jobs run nowhere else`
      : `${path} was not sealed`,
  );
}

async function copy(path: string, to: string): Promise<void> {
  const destination = openFirestoreStore({ ...placeOf(to), callMs: CALL_MS, clock: systemClock });
  try {
    // Before the seal: a destination that does not answer leaves the source as it was.
    const { storeNow } = await destination.time();
    sealDatabase(path, { to, at: isoInstant(storeNow) });
    const moved = await moveFrom(path, destination);
    const { jobs, runs, logChunks, actions, checksum } = moved;
    console.log(
      `moved ${jobs} jobs, ${runs} runs, ${logChunks} pieces of log and ${actions} actions; ` +
        `both sides read and found the same (checksum ${checksum})\n` +
        `${path} is sealed. Start the service with PUNCTUAL_STORE=firestore`,
    );
  } finally {
    await destination.close();
  }
}

async function moveFrom(path: string, to: FirestoreStore): Promise<Moved> {
  const log = (): void => undefined;
  const timing = { leaseMs: 90_000, regressionMs: 5000, sealed: true };
  const from = openSqliteStore({ path, clock: systemClock, log, ...timing });
  try {
    return await moveStore({ from, to, importer: to.importer(), source: path, progress: shown });
  } finally {
    await from.close();
  }
}

function shown({ what, done }: Parameters<Parameters<typeof moveStore>[0]['progress']>[0]): void {
  console.error(`${done.toLocaleString('en-GB')} ${NAMES[what]}`);
}

function pathOf(text: string, option: string): string {
  const [, path] = /^sqlite:(.+)$/s.exec(text) ?? [];
  if (path !== undefined) return resolve(path);
  throw new BadUsage(`${option} is "${text}"; right would be such as sqlite:.data/punctual.db`);
}

/** The project and database of `firestore:project/database`, on an emulator if one is set. */
function placeOf(text: string) {
  const [, project, database = '(default)'] = /^firestore:([^/]+)(?:\/([^/]+))?$/.exec(text) ?? [];
  if (project === undefined) {
    throw new BadUsage(`--to is "${text}"; right would be such as firestore:my-project`);
  }
  const { FIRESTORE_EMULATOR_HOST = '' } = process.env;
  const env = {
    GOOGLE_CLOUD_PROJECT: project,
    PUNCTUAL_FIRESTORE_DATABASE: database,
    FIRESTORE_EMULATOR_HOST,
  };
  const { emulator } = readConfig(env, '/', 0).firestore;
  return { project, database, emulator };
}
