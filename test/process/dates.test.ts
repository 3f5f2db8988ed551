import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { failToStart, startServer, tempFolder, until } from './server.ts';

const JOB = new URL('../../server/core/job.ts', import.meta.url).href;

/** A folder with a registry of one job, told in TypeScript, and the environment for a server. */
function folderWith(definition: string) {
  const folder = tempFolder();
  const jobs = join(folder, 'jobs.ts');
  writeFileSync(
    jobs,
    `import { defineJob } from '${JOB}';
     export default [defineJob({ name: 'new-year', run: () => 'done', ${definition} })];`,
  );
  return { PUNCTUAL_DB: join(folder, 'punctual.db'), PUNCTUAL_JOBS: jobs };
}

test('a job whose date has passed at registration keeps the server from starting', async () => {
  const env = folderWith("at: '2020-01-01T00:00', timeZone: 'Europe/Berlin'");

  const { status, output } = await failToStart(env);

  expect(status).toBe(1);
  expect(output).toContain(
    'job "new-year": at: 2019-12-31T23:00:00.000Z is past; right would be a date to come',
  );
});

test('a job that is on record with its date runs once, and starts are no error afterwards', async () => {
  // Later than any start takes: a date that has passed by then would be refused.
  const soon = new Date(Date.now() + 12_000).toISOString();
  const env = folderWith(`at: '${soon.slice(0, 19)}Z'`);
  const server = await startServer(env);
  const ended = await until(async () => {
    const runs = await server.runs('new-year');
    return runs[0]?.state === 'succeeded' && runs;
  }, 30_000);
  await server.end('SIGTERM');

  const again = await startServer(env);

  const job = await again.json<{ nextScheduledAt: string | null }>('/api/v1/jobs/new-year');
  expect(ended).toHaveLength(1);
  expect(await again.runs('new-year')).toHaveLength(1);
  expect(job.nextScheduledAt).toBeNull();
}, 60_000);

describe('where only a tick each minute wakes', () => {
  test.each([
    ["schedule: '*/30 * * * * *'", 'schedule: comes again after 30s'],
    ["every: '45s'", 'every: comes again after 45s'],
    ["schedule: ['* * * * *', '30 0 9 * * *']", 'schedule: comes again after 30s'],
  ])('the server does not start with %s', async (definition, why) => {
    const { status, output } = await failToStart({
      ...folderWith(definition),
      PUNCTUAL_WAKE: 'tick',
    });

    expect(status).toBe(1);
    expect(output).toContain(`job "new-year": ${why}; where only the tick wakes`);
  });
});
