import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { machineFindings } from '../../scripts/doctor-code.ts';
import { skewOf } from '../../scripts/doctor-store.ts';
import { freePort } from '../firestore/emulator.ts';
import { fixture, tempFolder } from '../process/server.ts';
import { fakeScheduler } from '../triggers/fake-scheduler.ts';
import {
  DAILY,
  doctor,
  FIRESTORE,
  found,
  GOOGLE,
  jobsModule,
  markOf,
  NO_CREDENTIALS,
  serve,
} from './examined.ts';

describe('npm run doctor, on one machine', () => {
  test('says that all is well, and exits 0', async () => {
    const env = { ...jobsModule(DAILY), PUNCTUAL_DB: join(tempFolder(), 'punctual.db') };
    await serve({ ...env, PUNCTUAL_BUILD: 'one' });

    const { status, out, err } = await doctor(env);

    expect([status, err]).toEqual([0, '']);
    const lines = out.split('\n');
    expect(lines).toContain(
      '  ✓ ok    node          24.21.0'.replace('24.21.0', process.versions.node),
    );
    expect(lines).toContain(
      "  ✓ ok    clock         the store goes by this machine's, and is steady",
    );
    expect(lines).toContain('  ✓ ok    records       1 job of namespace default');
    expect(out).toMatch(/✓ ok {4}awake {9}a server of build one was last noted \S+ \S+ ago$/m);
    expect(lines).toContain('  ✓ ok    tick          the timer of the service itself');
    expect(lines).toContain('  ✓ ok    triggers      answered: this machine itself. Nobody else');
    expect(lines.at(-2)).toMatch(/^\d+ ok, 1 not looked at$/);
  });

  test('a database that is not there is not made, and is told', async () => {
    const { status, lines } = await found({ PUNCTUAL_DB: '/nowhere/none.db' });

    expect(status).toBe(1);
    expect(lines).toEqual([
      'warn store: there is no database /nowhere/none.db → the first start makes it; if there ' +
        'should be one, set PUNCTUAL_DB to its path',
    ]);
  });

  test('tells all that is wrong with the settings at once, and leaves out the rest', async () => {
    const { status, out } = await doctor({
      PORT: 'http',
      PUNCTUAL_TASKS_QUEUE: 'runs',
      PUNCTUAL_SCHEDULER_ACCOUNT: 'me',
    });

    expect(status).toBe(1);
    expect(out).toContain(
      '  ✗ bad   settings      PUNCTUAL_SCHEDULER_ACCOUNT is "me"; right would',
    );
    expect(out).toContain('  ✗ bad                 PORT is "http"; right would be a whole number');
    expect(out).toContain('PUNCTUAL_TASKS_QUEUE is set, and needs PUNCTUAL_SERVICE_URL');
    expect(out).toContain('PUNCTUAL_TASKS_QUEUE is set, and needs PUNCTUAL_TASKS_ACCOUNT');
    expect(out.match(/→ put it right in the environment/g)).toHaveLength(1);
    expect(out).toContain('  – skip  all else      the settings have to be right first');
  });

  test('tells that jobs have secrets, and no key', async () => {
    const env = { PUNCTUAL_JOBS: fixture('secretive.ts') };

    const without = await found(env, '--offline');
    const keyed = await found({ ...env, PUNCTUAL_SECRET_KEY: 'ab'.repeat(32) }, '--offline');

    expect(without.status).toBe(1);
    expect(without.lines).toContain(
      'bad secrets: 4 jobs with secret inputs, such as "deploy", and no key: the service does not ' +
        'start like this → set PUNCTUAL_SECRET_KEY to what `npm run -s secret-key` prints',
    );
    expect(markOf(keyed.findings, 'secrets')).toBe('ok');
  });

  test('with tokens asked for, nobody sends triggers, and nobody needs to', async () => {
    const env = { ...jobsModule(DAILY), PUNCTUAL_AUTH: 'tokens' };

    const byTimer = await found(env, '--offline');
    const byTick = await found({ ...env, PUNCTUAL_WAKE: 'tick' }, '--offline');

    expect(byTimer.lines).toEqual([]);
    expect(byTick.lines).toContain(
      'bad triggers: nobody is answered → set PUNCTUAL_SCHEDULER_ACCOUNT',
    );
  });

  test('tells what is wrong with the jobs themselves', async () => {
    const { lines, findings } = await found(
      jobsModule({ name: 'Report', schedule: '61 * * * *' }),
      '--offline',
    );

    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('bad jobs: job "Report": schedule: minute 61');
    expect(markOf(findings, 'timeouts')).toBe('skip');
  });
});

describe('as on Google Cloud', () => {
  test.each([
    ['--cloud-run', {}, 'bad settings: GOOGLE_CLOUD_PROJECT is not set'],
    ['--cloud-run', { PUNCTUAL_STORE: 'sqlite' }, 'bad settings: the store is a file of the'],
    ['--cloud-run', { PUNCTUAL_WAKE: 'timer' }, 'bad settings: the service would wake itself'],
    [
      '--cloud-run',
      { PUNCTUAL_REQUEST_DEADLINE_MS: '7200000' },
      'warn settings: a request is said to take 2 h, but Cloud Run ends a request after 60 min',
    ],
    ['--cloud-run', {}, 'bad triggers: nobody is answered → set PUNCTUAL_SCHEDULER_ACCOUNT'],
    [
      '--cloud-run',
      { PUNCTUAL_SERVICE_URL: 'http://localhost:8080' },
      'bad triggers: tokens are sent to http://localhost:8080, without encryption',
    ],
    ['--cloud-run', {}, 'bad tick: only triggers wake the service, and Cloud Scheduler can not'],
    ['--offline', { PUNCTUAL_WAKE: 'tick' }, 'warn tick: only triggers wake the service'],
  ])('%s %j: %s', async (word, env, told) => {
    const jobs = jobsModule(DAILY);

    const { status, lines } = await found({ ...jobs, ...env }, word, '--offline');

    expect(status).toBe(1);
    expect(lines.join('\n')).toContain(told);
  });

  test('a timeout longer than the request that carries it is told before the deploy', async () => {
    const jobs = jobsModule({ ...DAILY, timeout: '30m' }, { name: 'fits', schedule: '@daily' });

    const { lines } = await found({ ...jobs, ...GOOGLE }, '--cloud-run', '--offline');

    const told = 'job "report": timeout: is 30m; a run must be over before its request is ended';
    expect(lines.filter((line) => line.includes('timeouts'))).toEqual([
      expect.stringContaining(`bad timeouts: ${told} here, 290s at most → give it a shorter`),
    ]);
  });

  test('so is a job that comes closer than Firestore takes it', async () => {
    const jobs = jobsModule({ ...DAILY, schedule: undefined, every: '5s' });

    const { lines } = await found({ ...jobs, ...FIRESTORE }, '--offline');

    expect(lines).toEqual([
      expect.stringMatching(
        /^bad spacing: job "report": every: comes again after 5s; on Firestore/,
      ),
    ]);
  });

  test('and one that only the tick can wake, and that takes longer than a tick', async () => {
    const jobs = jobsModule({ name: 'odd', every: '7h' });
    const env = { ...jobs, ...GOOGLE, GOOGLE_CLOUD_PROJECT: 'shop' };

    const { lines } = await found(env, '--cloud-run', '--offline');

    expect(lines).toEqual([
      expect.stringMatching(
        /^warn timeouts: job "odd" may take 4 min 50 s; the tick carries 40 s, .* → set PUNC/,
      ),
    ]);
  });

  test('offline nothing is asked: neither the store nor Cloud Scheduler', async () => {
    const fake = await fakeScheduler();
    const env = { ...jobsModule(DAILY), ...GOOGLE, GOOGLE_CLOUD_PROJECT: 'shop' };
    const away = `127.0.0.1:${await freePort()}`;

    const { status, out, err } = await doctor(
      { ...env, FIRESTORE_EMULATOR_HOST: away, PUNCTUAL_SCHEDULER_ENDPOINT: fake.address },
      '--cloud-run',
      '--offline',
    );

    expect([status, err, fake.calls]).toEqual([0, '', []]);
    expect(out).toContain('  – skip  store         not asked: --offline\n');
    expect(out).toContain('– skip  scheduler     not asked: --offline. wanted are the tick and 0');
    expect(out).toContain('dashboard     nobody is answered, nor is a program at /api/v1');
  });

  test('without credentials it says how to get some, and does not try the store', async () => {
    const env = { ...jobsModule(DAILY), ...NO_CREDENTIALS, GOOGLE_CLOUD_PROJECT: 'shop' };

    const { lines, findings } = await found({ ...env, PUNCTUAL_STORE: 'firestore' });

    expect(lines).toEqual([
      expect.stringMatching(
        /^bad credentials: Could not load .* → gcloud auth application-default login makes some/,
      ),
    ]);
    expect(markOf(findings, 'store')).toBe('skip');
  });

  test('a store that does not answer is told with its reason', async () => {
    const away = `127.0.0.1:${await freePort()}`;
    const env = { ...jobsModule(DAILY), ...FIRESTORE, FIRESTORE_EMULATOR_HOST: away };

    const { status, lines, findings } = await found(env);

    expect(status).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^bad store: Firestore can not be reached \(.*\) → start the emulator/,
    );
    expect(markOf(findings, 'records')).toBe('skip');
  });
});

describe('how far a clock is off', () => {
  test('is at least what it lies outside the readings before and after', () => {
    const span = { from: 10_000, to: 10_400 };

    expect([4000, 10_000, 10_200, 10_400, 17_000].map((other) => skewOf(other, span))).toEqual([
      6000, 0, 0, 0, -6600,
    ]);
  });
});

test('an old Node and old data of time zones are told', () => {
  const marks = (node: string, zones: string | undefined) =>
    machineFindings({ node, zones, year: 2026 }).map(({ mark }) => mark);

  expect(marks('24.1.0', '2025b')).toEqual(['ok', 'ok']);
  expect(marks('22.9.0', '2024b')).toEqual(['bad', 'warn']);
  expect(marks('26.0.0', undefined)).toEqual(['ok', 'warn']);
});

describe('what cannot be carried out exits 2 and says why', () => {
  test.each([
    [['--per-job', 'some'], '--per-job is "some"; right would be one of long, all, none'],
    [['--app-yaml', 'app.yaml', '--cloud-run'], '--cloud-run is not: give one of them'],
    [['--app-yaml', '/nowhere.yaml'], 'no such file'],
    [['--offlin'], "Unknown option '--offlin'"],
  ])('%j', async (words, told) => {
    const { status, out, err } = await doctor({}, ...words);

    expect([status, out]).toEqual([2, '']);
    expect(err).toContain(told);
  });

  test('--help tells how it is called, and exits 0', async () => {
    const { status, out } = await doctor({}, '--help');

    expect(status).toBe(0);
    expect(out).toContain('npm run doctor -- --app-yaml app.yaml');
  });
});
