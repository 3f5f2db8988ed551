import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { fixture, startServer, tempFolder } from '../process/server.ts';
import { tempDb } from '../service.ts';
import { openStore } from '../stores/sqlite-fixture.ts';
import { call } from './call.ts';

const jobs = (words: readonly string[], env: Record<string, string> = {}) =>
  call('jobs.ts', words, env);

describe('npm run jobs', () => {
  test('lists the jobs with their schedules in words', () => {
    const { status, out } = jobs(['list'], { PUNCTUAL_DB: tempDb() });

    expect(status).toBe(0);
    expect(out).toMatch(/^canary +not yet registered +\* \* \* \* \* +UTC +Every minute/m);
  });

  test('shows the next occurrences of one', () => {
    const { out } = jobs(['next', 'canary', '--count', '3']);

    const instants = out.match(/\d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z/g) ?? [];
    expect(instants).toHaveLength(3);
    expect(Date.parse(instants[1] ?? '') - Date.parse(instants[0] ?? '')).toBe(60_000);
  });

  test('shows under the occurrences what clock changes do, and that a date has passed', () => {
    const folder = dirname(tempDb());
    const path = join(folder, 'jobs.ts');
    const job = new URL('../../server/core/job.ts', import.meta.url).href;
    writeFileSync(
      path,
      `import { defineJob } from '${job}';
       const run = () => undefined;
       const timeZone = 'America/New_York';
       export default [
         defineJob({ name: 'night', schedule: '30 2 * * *', timeZone, run }),
         defineJob({ name: 'pace', schedule: '*/5 * * * *', timeZone, run }),
         defineJob({ name: 'over', at: '2020-01-01T00:00', run }),
         defineJob({ name: 'asked', run }),
       ];`,
    );

    const { status, out } = jobs(['next', '--count', '1'], { PUNCTUAL_JOBS: path });

    const instant = /  \d{4}-\d\d-\d\dT\d\d:\d\d:00\.000Z  \w{3} \d+ \w+ \d{4}, \d\d:\d\d/;
    expect(status).toBe(0);
    expect(out.trimEnd().split('\n')).toEqual([
      'night  30 2 * * *  America/New_York',
      expect.stringMatching(instant),
      expect.stringMatching(/^  \d+ March \d{4}: 02:30 does not exist, runs 03:00$/),
      'pace  */5 * * * *  America/New_York',
      expect.stringMatching(instant),
      'over  at 2020-01-01T00:00  UTC',
      '  none to come',
      'asked  only by hand  UTC',
    ]);
  });

  test('runs a handler here, without server or store, its exit status the outcome', () => {
    const folder = dirname(tempDb());
    const input = join(folder, 'input.json');
    writeFileSync(input, JSON.stringify({ targets: ['http://127.0.0.1:1/'] }));
    const db = join(folder, 'never.db');

    const good = jobs(['run', 'canary'], { PUNCTUAL_DB: db });
    const bad = jobs(['run', 'check-urls', '--input', input], { PUNCTUAL_DB: db });

    expect([good.status, bad.status]).toEqual([0, 1]);
    expect(good.out).toMatch(/canary succeeded in \d+ ms: {"latenessMs":\d+}/);
    expect(bad.err).toMatch(/check-urls failed .* 1 of 1 did not answer/);
  });

  test('fails a handler here for what would fail it in the service', () => {
    const env = { PUNCTUAL_JOBS: fixture('naughty.ts') };
    const told = ['exits', 'stray-rejection', 'throws-after-abort'].map((name) => {
      const { status, err } = jobs(['run', name], env);
      return `${status} ${err
        .trim()
        .split('\n')
        .at(-1)
        ?.replace(/\d+ ms/, 'N ms')}`;
    });

    expect(told).toEqual([
      '1 exits failed after N ms: not allowed here: the handler called process.exit(7)',
      '1 stray-rejection failed after N ms: a promise was rejected and nobody awaited it: nobody waits for me',
      '1 throws-after-abort failed after N ms: late',
    ]);
  });

  test('tells what is wrong with an input under its path', () => {
    const input = join(dirname(tempDb()), 'input.json');
    writeFileSync(input, JSON.stringify({ targets: [5], parallel: 0 }));

    const { status, err } = jobs(['run', 'check-urls', '--input', input]);

    expect(status).toBe(2);
    expect(err).toMatch(/^\/input\/targets\/0: /m);
    expect(err).toMatch(/^\/input\/parallel: /m);
  });

  test.each([
    [['run', 'nobody'], /there is no job "nobody" in .*; there are canary/],
    [['run'], /expected the name of a job/],
    [['run', 'canary', 'more'], /nothing more, got more/],
    [['next', '--count', 'many'], /--count is "many"; right would be a whole number/],
    [['runs', '--state', 'done'], /--state is "done"; right would be one of/],
    [['show', 'x@y'], /there is no database .*punctual.db/],
    [['cancel', 'x'], /there is no database/],
    [['run', 'canary', '--inptu', 'x'], /Unknown option '--inptu'/],
  ])('%j is refused in a line that says what would be right', (words, told) => {
    const db = tempDb();

    const { status, err } = jobs(words, { PUNCTUAL_DB: db, PORT: '9' });

    expect(status).toBe(2);
    expect(err).toMatch(told);
    expect(err).not.toMatch(/^ +at /m);
  });

  test('triggers, shows, pauses, resumes and cancels', async () => {
    const folder = tempFolder();
    const env = { PUNCTUAL_DB: join(folder, 'punctual.db'), PUNCTUAL_JOBS: fixture('slow.ts') };
    const server = await startServer({ ...env, TEST_FOLDER: folder });
    const here = { ...env, PUNCTUAL_URL: server.url };

    const triggered = jobs(['trigger', 'fails-when-lost'], here);
    const id = /^(\S+) running/.exec(triggered.out)?.[1] ?? '';
    const running = jobs(['runs', 'fails-when-lost'], here);
    const cancelled = jobs(['cancel', id], here);
    await expect
      .poll(async () => (await server.runs('fails-when-lost'))[0]?.state)
      .toBe('cancelled');
    const shown = jobs(['show', id], here);
    const paused = jobs(['pause', 'deaf', '--note', 'away'], here);
    const { jobs: listed } = await server.json<{ jobs: { name: string; state: string }[] }>(
      '/api/v1/jobs',
    );
    const resumed = jobs(['resume', 'deaf'], here);

    expect(running.out).toContain(id);
    expect(cancelled.out).toContain('was asked to stop');
    expect(shown.out).toMatch(/state +cancelled/);
    expect(shown.out).toMatch(/punctual: asked to stop: the run was cancelled/);
    expect(paused.out).toContain('deaf is paused');
    expect(listed.find(({ name }) => name === 'deaf')?.state).toBe('paused');
    expect(resumed.out).toContain('deaf goes on');
  });
});

describe('npm run audit', () => {
  test('exits 2 where there is no database, and makes none', () => {
    const db = tempDb();

    const { status, err } = call('audit.ts', [], { PUNCTUAL_DB: db });

    expect([status, err.trim()]).toEqual([2, `there is no database ${db}`]);
  });

  test('exits 0 without a gap, and 1 with one, naming it', async () => {
    const folder = tempFolder();
    const db = join(folder, 'punctual.db');
    const server = await startServer({ PUNCTUAL_DB: db });
    await server.end('SIGTERM');
    const clean = call('audit.ts', [], { PUNCTUAL_DB: db });

    const file = new DatabaseSync(db);
    file.exec(`UPDATE jobs SET doc = json_set(doc, '$.watermark',
      json_extract(doc, '$.registeredAt') + 1), rev = rev + 1 WHERE name = 'canary'`);
    file.exec(`UPDATE specs SET from_at = from_at - 3600000,
      doc = json_set(doc, '$.from', json_extract(doc, '$.from') - 3600000)`);
    file.exec(`UPDATE jobs SET doc = json_set(doc, '$.registeredAt',
      json_extract(doc, '$.registeredAt') - 120000, '$.ledgerFrom', 0) WHERE name = 'canary'`);
    file.close();
    const broken = call('audit.ts', [], { PUNCTUAL_DB: db });

    expect(clean).toMatchObject({ status: 0 });
    expect(clean.out).toMatch(/^5 jobs, [01] occurrences .*: 0 unexplained gaps$/m);
    expect(broken.status).toBe(1);
    expect(broken.out).toMatch(/^gap: canary \d{8}T\d{6}Z: no record says what became of it$/m);
  });
});

describe('reset-clock', () => {
  test('accepts the clock as it is', async () => {
    const db = tempDb();
    await openStore({ path: db }).close();
    const file = new DatabaseSync(db);
    const future = Date.now() + 86_400_000;
    file.exec(`INSERT INTO clock (id, era, high_water, trusted, doubted)
      VALUES (1, 0, ${future}, '{"boot":"x","wall":0,"monotonic":0}', 'null')
      ON CONFLICT (id) DO UPDATE SET high_water = ${future}`);
    file.close();

    const { status, out } = jobs(['reset-clock'], { PUNCTUAL_DB: db, USER: 'ann' });

    expect(status).toBe(0);
    expect(out).toMatch(/the clock is accepted as it is/);
  });
});
