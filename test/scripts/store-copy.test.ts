import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emulator, newProject } from '../firestore/fixture.ts';
import { startServer, tempFolder, triggerWhenFree } from '../process/server.ts';
import { call } from './call.ts';

describe.skipIf(emulator === null)('npm run store:copy', () => {
  test('moves a stopped service to Firestore, where it goes on', { timeout: 90_000 }, async () => {
    const db = join(tempFolder(), 'punctual.db');
    const project = newProject();
    const there = { FIRESTORE_EMULATOR_HOST: emulator ?? '', GOOGLE_CLOUD_PROJECT: project };
    const words = ['--from', `sqlite:${db}`, '--to', `firestore:${project}`];
    const before = await startServer({ PUNCTUAL_DB: db });
    const run = await triggerWhenFree(before, 'canary');
    const tooSoon = call('store-copy.ts', words, there);
    await before.end('SIGTERM');

    const { status, out } = call('store-copy.ts', words, there);
    const again = call('store-copy.ts', words, there);
    const after = await startServer({ ...there, PUNCTUAL_STORE: 'firestore' });

    expect([tooSoon.status, tooSoon.err]).toEqual([2, `${db} is in use: stop the server first\n`]);
    expect(status).toBe(0);
    expect(out).toMatch(/^moved 5 jobs, \d+ runs, .*checksum [0-9a-f]{32}\)\n.* is sealed\./);
    expect([again.status, again.err]).toEqual([2, `${db} was moved there already, and whole\n`]);
    expect(await after.json(`/api/v1/runs/${encodeURIComponent(run.id)}`)).toMatchObject({
      id: run.id,
      state: 'succeeded',
      output: run.output,
    });
    expect((await triggerWhenFree(after, 'canary')).state).toBe('succeeded');
    expect(call('audit.ts', [], { ...there, PUNCTUAL_STORE: 'firestore' }).out).toContain(
      '0 unexplained gaps',
    );
  });
});

test.each([
  [['--from', 'punctual.db', '--to', 'firestore:p'], '--from is "punctual.db"; right would be'],
  [['--from', 'sqlite:x.db', '--to', 'p'], '--to is "p"; right would be such as firestore:'],
  [['--from', 'sqlite:/none.db', '--to', 'firestore:UPPER'], 'GOOGLE_CLOUD_PROJECT is "UPPER"'],
  [['--unseal', 'sqlite:/nowhere/none.db'], 'there is no database /nowhere/none.db'],
  [['--frm', 'x'], "Unknown option '--frm'"],
  [[], ''],
])('store:copy %j is refused: %s', (words, reason) => {
  const { status, err } = call('store-copy.ts', words);

  expect(status).toBe(2);
  expect(err).toContain(reason);
});
