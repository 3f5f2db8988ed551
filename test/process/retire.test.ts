import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../server/process/clock.ts';
import { openSqliteStore } from '../../server/stores/sqlite.ts';
import { tokenIn } from '../http/identity/callers.ts';
import { fixture, startServer, tempFolder, until } from './server.ts';

/** There nobody is let in by where they are. */
async function operatorOf(path: string): Promise<string> {
  const timing = { leaseMs: 90_000, regressionMs: 5000 };
  const store = openSqliteStore({ path, clock: systemClock, log: () => undefined, ...timing });
  const { text } = await tokenIn(store, { name: 'ada', role: 'operator' });
  await store.close();
  return text;
}

test('an instance whose handler does not stop ends, and another puts its run on record', async () => {
  const folder = tempFolder();
  const path = join(folder, 'punctual.db');
  const env = {
    PUNCTUAL_DB: path,
    PUNCTUAL_AUTH: 'tokens',
    PUNCTUAL_TOKEN: await operatorOf(path),
    PUNCTUAL_JOBS: fixture('slow.ts'),
    PUNCTUAL_STORE: 'sqlite',
    PUNCTUAL_TICK_MS: '1000',
    PUNCTUAL_LEASE_MS: '5000',
    GAE_ENV: 'standard',
    HOST: '127.0.0.1',
    TEST_FOLDER: folder,
  };
  const cron = { method: 'POST', headers: { 'X-Appengine-Cron': 'true' } };
  const server = await startServer(env);
  const ended = new Promise<number | null>((resolve) => server.child.once('exit', resolve));
  const { id } = await server.trigger('deaf', 0);
  const carried = fetch(`${server.url}/triggers/jobs/deaf`, cron).catch(() => undefined);
  await until(async () => (await server.runs('deaf'))[0]?.state === 'running', 20_000);

  await server.json(`/api/v1/runs/${encodeURIComponent(id)}/cancel`, { method: 'POST' });
  const status = await ended;
  await carried;
  const other = await startServer(env);
  const run = await until(async () => {
    await fetch(`${other.url}/triggers/tick`, cron);
    const [found] = await other.runs('deaf');
    return found?.state !== 'running' && found;
  }, 30_000);

  expect(status).toBe(1);
  expect(server.output()).toContain('process_given_up');
  expect(await other.run(run.id)).toMatchObject({
    id,
    state: 'cancelled',
    attempts: [{ outcome: 'lost' }],
  });
}, 90_000);
