import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixture, startServer, tempFolder, until, type ServerProcess } from './server.ts';

const AUDIT = new URL('../../scripts/audit.ts', import.meta.url).pathname;

function world(more: Readonly<Record<string, string>> = {}) {
  const folder = tempFolder();
  const env = {
    PUNCTUAL_DB: join(folder, 'punctual.db'),
    PUNCTUAL_JOBS: fixture('slow.ts'),
    TEST_FOLDER: folder,
    TMPDIR: folder,
    ...more,
  };
  const journal = (): string[][] =>
    existsSync(join(folder, 'journal'))
      ? readFileSync(join(folder, 'journal'), 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(' '))
      : [];
  const audit = (): string =>
    execFileSync(process.execPath, [AUDIT], { env: { ...process.env, ...env }, encoding: 'utf8' });
  return { env, journal, audit };
}

/** The run of a job that came to a state, whole. */
const ended = async (server: ServerProcess, job: string, state: string) => {
  const find = async () => (await server.runs(job)).find((run) => run.state === state);
  return await server.run((await until(find, 30_000)).id);
};

describe('a server killed while jobs run', () => {
  test('leaves lost attempts, retried where the policy says so, and nothing running', async () => {
    const { env, journal, audit } = world({ PUNCTUAL_LEASE_MS: '4000' });
    const first = await startServer(env);
    await first.trigger('fails-when-lost', 0);
    await first.trigger('retries-when-lost', 0);
    // One more where a busy machine held the server up for longer than a lease.
    await until(async () => journal().length >= 2, 20_000);
    await first.end('SIGKILL');
    const scratch = journal().map(([, , , path]) => path ?? '');

    const second = await startServer(env);
    const failed = await ended(second, 'fails-when-lost', 'lost');
    const retried = await ended(second, 'retries-when-lost', 'succeeded');

    expect(failed.error?.message).toMatch(/gave no sign of life for 4 s/);
    expect(failed.attempts.map(({ outcome }) => outcome)).toEqual(['lost']);
    expect(retried.attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
    expect(retried.output).toBe('second time');
    const tokens = journal()
      .filter(([run]) => run === retried.id)
      .map(([, , fence]) => Number(fence));
    expect(tokens[1]).toBeGreaterThan(tokens[0] ?? Infinity);
    expect(scratch.filter((path) => existsSync(path))).toEqual([]);
    expect(audit()).toMatch(/0 unexplained gaps/);
  }, 90_000);
});

describe('a server asked to stop', () => {
  test('hands back at once what heeds its signal, and keeps the lease of what does not', async () => {
    const { env, journal, audit } = world();
    const first = await startServer(env);
    await first.trigger('fails-when-lost', 0);
    await first.trigger('retries-when-lost', 0);
    const deaf = await first.trigger('soon-lost', 0);
    await until(async () => journal().length === 2, 20_000);

    const asked = Date.now();
    const status = await first.end('SIGTERM');
    expect(status).toBe(0);
    expect(Date.now() - asked).toBeLessThan(30_000);

    const second = await startServer(env);
    const retried = await ended(second, 'retries-when-lost', 'succeeded');
    const handedBack = await ended(second, 'fails-when-lost', 'lost');
    const lost = await ended(second, 'soon-lost', 'lost');

    expect(retried.attempts.map(({ outcome }) => outcome)).toEqual(['interrupted', 'succeeded']);
    expect(handedBack.attempts.map(({ outcome }) => outcome)).toEqual(['interrupted']);
    expect(lost.id).toBe(deaf.id);
    expect(audit()).toMatch(/0 unexplained gaps/);
  }, 120_000);
});
