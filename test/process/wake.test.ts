import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { failToStart, fixture, startServer, tempFolder, until } from './server.ts';

test('a job of each second runs each second, and each run is on record once', async () => {
  const server = await startServer({
    PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
    PUNCTUAL_JOBS: fixture('seconds.ts'),
  });

  const runs = await until(async () => {
    const all = await server.runs('each-second');
    return all.filter(({ state }) => state === 'succeeded').length >= 4 && all;
  }, 30_000);

  const instants = runs.flatMap(({ scheduledAt }) => scheduledAt ?? []);
  expect(new Set(instants).size).toBe(instants.length);
  expect(instants.filter((at) => !at.endsWith('.000Z'))).toEqual([]);
});

test('where only the tick wakes, a schedule that is closer than it is refused', async () => {
  const { status, output } = await failToStart({
    PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
    PUNCTUAL_JOBS: fixture('seconds.ts'),
    PUNCTUAL_WAKE: 'tick',
  });

  expect(status).toBe(1);
  expect(output).toContain(
    'job "each-second": schedule: comes again after 1s; where only the tick wakes ' +
      'it must be at least 1m',
  );
});

test('where only the tick wakes, nothing runs until it comes', async () => {
  const server = await startServer({
    PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
    PUNCTUAL_JOBS: fixture('seconds.ts'),
    PUNCTUAL_WAKE: 'tick',
    PUNCTUAL_TICK_MS: '1000',
  });
  await setTimeout(1500); // An occurrence falls due.
  const before = await server.runs('each-second');

  await server.json('/triggers/tick', { method: 'POST' });
  const after = await server.runs('each-second');

  expect(before).toEqual([]);
  expect(after.length).toBeGreaterThan(0);
});
