import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder, until } from '../process/server.ts';
import { openStore } from '../stores/sqlite-fixture.ts';
import { contradictions } from './contradictions.ts';
import { startWithin } from './server.ts';
import { busyEnv } from './snapshot.ts';

/** A data folder that can't be written, by a server that has no rights but its own. */

/** Root may write anything: a server of its has to go without what makes it so. */
const MORTAL = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all'] : [];

const FILE = 'punctual.db';

function setRights(folder: string, file: number, ofFolder: number): void {
  chmodSync(folder, 0o700);
  chmodSync(join(folder, FILE), file);
  chmodSync(folder, ofFolder);
}

test('a server at work goes on when its folder becomes read-only, and loses nothing', async () => {
  const folder = tempFolder();
  const env = busyEnv(folder);
  const server = await startWithin(MORTAL, env);
  await until(async () => (await server.runs('job=quick&state=succeeded')).length > 0, 30_000);
  const count = async (): Promise<number> =>
    (await server.runs('job=quick&state=succeeded')).length;

  setRights(folder, 0o400, 0o500);
  const before = await count();
  await until(async () => (await count()) > before + 1, 30_000);
  const health = await server.ask('/healthz');
  const known = await server.runs('state=succeeded');
  const stopped = await server.end('SIGTERM');
  const refused = await startWithin(MORTAL, env);
  const status = await refused.ended;
  setRights(folder, 0o600, 0o700);
  const second = await startWithin(MORTAL, env);
  const kept = await Promise.all(known.map(({ id }) => second.run(id)));
  await second.end('SIGTERM');

  // What it has open stays open to it.
  expect([health.status, stopped, status]).toEqual([200, 0, 1]);
  expect(refused.output()).toMatch(
    /^Punctual can't start:\n {2}the database .*punctual\.db can't be written: EACCES.*this program must be able to write the file and its folder/,
  );
  expect(kept.map(({ state }) => state)).toEqual(known.map(() => 'succeeded'));
  const store = openStore({ path: join(folder, FILE) });
  expect(await contradictions(store)).toEqual([]);
}, 120_000);
