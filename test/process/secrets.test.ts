import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OTHER_KEY, KEY, SECRET, tracesIn, tracesOnDisk } from '../http/secrets.ts';
import { call } from '../scripts/call.ts';
import { failToStart, fixture, startServer, tempFolder, type RunJson } from './server.ts';

const PUNCTUAL_JOBS = fixture('secretive.ts');

test('jobs with secret inputs are refused at the start where there is no key, all at once', async () => {
  const { status, output } = await failToStart({
    PUNCTUAL_JOBS,
    PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
  });

  expect(status).toBe(1);
  for (const job of ['deploy', 'invite']) {
    expect(output).toContain(
      `job "${job}": input: its schema marks something as secret, and there is no key to encrypt ` +
        'it: set PUNCTUAL_SECRET_KEY to what `npm run -s secret-key` prints',
    );
  }
});

test('a key that is none is refused without being told, with all else that is wrong', async () => {
  const { status, output } = await failToStart({
    PORT: 'http',
    PUNCTUAL_SECRET_KEY: `${KEY},half-a-key`,
  });

  expect(status).toBe(1);
  expect(output).toContain('PORT is "http"');
  expect(output).toMatch(
    /PUNCTUAL_SECRET_KEY is .*; right would be one or several keys of 32 bytes/,
  );
  expect(output).not.toMatch(/5a5a|half-a-key/);
});

test('neither a secret nor the key is anywhere but where it belongs', async () => {
  const db = join(tempFolder(), 'punctual.db');
  const keys = `${KEY},${OTHER_KEY}`;
  const env = { PUNCTUAL_JOBS, PUNCTUAL_DB: db };
  const server = await startServer({ ...env, PUNCTUAL_SECRET_KEY: keys });
  const start = (job: string, body: unknown) =>
    server.json<RunJson>(`/api/v1/jobs/${job}/runs`, {
      method: 'POST',
      headers: { Prefer: 'wait=60', 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });

  const run = await start('deploy', { input: { token: SECRET } });
  const apart = await start('deploy-apart', { input: { token: SECRET } });
  const failed = await start('fails-apart', { input: { token: SECRET } });
  const told = [await start('environment', {}), await start('own-environment', {})];
  const log = await fetch(`${server.url}/api/v1/runs/${encodeURIComponent(told[0]?.id ?? '')}/log`);
  const shown = call('jobs.ts', ['show', run.id], env);
  const commandLine = readFileSync(`/proc/${server.child.pid}/cmdline`, 'utf8');
  await server.end('SIGTERM');

  expect(run).toMatchObject({ state: 'succeeded', output: { length: SECRET.length } });
  expect(shown.out).toContain('input      {"token":"[secret]"}');
  expect(shown.out).toContain('logging in with [secret]');
  expect(apart).toMatchObject({ state: 'succeeded', output: { made: '[secret]' } });
  expect(failed.error?.message).toMatch(/thrown in a callback: x{3990}\[secret\] w…/);
  expect(JSON.stringify(failed)).not.toContain(SECRET.toUpperCase().slice(0, 8));
  const said = [
    server.output(),
    shown.out,
    shown.err,
    commandLine,
    JSON.stringify([run, apart, failed, told]),
  ];
  const all = [...said, await log.text()];
  expect(all.flatMap(tracesIn)).toEqual([]);
  expect(all.join('\n')).not.toMatch(/5a5a|c3c3|PUNCTUAL_SECRET_KEY/);
  expect(tracesOnDisk(db)).toEqual([]);
  expect(tracesOnDisk(db).length + readFileSync(db).indexOf(KEY)).toBe(-1);
}, 120_000);

test('npm run secret-key prints a key that can be used', async () => {
  const { status, out } = call('secret-key.ts', []);

  expect([status, out]).toEqual([0, expect.stringMatching(/^[0-9a-f]{64}\n$/)]);
  const server = await startServer({
    PUNCTUAL_JOBS,
    PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
    PUNCTUAL_SECRET_KEY: out.trim(),
  });
  expect(await server.end('SIGTERM')).toBe(0);
});
