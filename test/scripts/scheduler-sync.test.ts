import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startServer, tempFolder } from '../process/server.ts';
import { fakeScheduler, Refusal, type FakeScheduler } from '../triggers/fake-scheduler.ts';
import { call, callBeside } from './call.ts';
import { GOOGLE, jobsModule, NO_CREDENTIALS } from './examined.ts';

const SETTINGS = { GOOGLE_CLOUD_PROJECT: 'shop', ...GOOGLE };

const sync = (fake: FakeScheduler, env: Record<string, string>, ...words: readonly string[]) =>
  callBeside('scheduler-sync.ts', words, {
    ...SETTINGS,
    PUNCTUAL_SCHEDULER_ENDPOINT: fake.address,
    ...env,
  });

const NIGHT = { name: 'report', schedule: '30 2 * * *', timeZone: 'America/New_York' };

describe('npm run scheduler:sync', () => {
  test('shows a plan and changes nothing; applies it; then finds nothing to do', async () => {
    const fake = await fakeScheduler();
    const jobs = jobsModule(NIGHT, { name: 'odd', every: '7m', timeout: '20s' });

    const plan = await sync(fake, jobs, '--offline');
    const drifted = await sync(fake, jobs, '--offline', '--check');
    const untouched = fake.jobs.size;
    const applied = await sync(fake, jobs, '--offline', '--apply');
    const checked = await sync(fake, jobs, '--offline', '--check');

    expect([plan.status, drifted.status, applied.status, checked.status]).toEqual([0, 1, 0, 0]);
    expect([untouched, fake.jobs.size]).toEqual([0, 2]);
    expect([plan.err, drifted.err, checked.err]).toEqual(['', '', '']);
    expect(drifted.out.length).toBe(plan.out.length);
    expect(plan.out.split('\n').map((line) => line.replace(/\d{4}-\d\d-\d\d/g, 'DAY'))).toEqual([
      'Cloud Scheduler of shop, europe-west1, for https://punctual.example.com, namespace default',
      '2 jobs in the code: wanted are the tick and 1 trigger of their own; there are 0',
      'The store was not asked: what is paused stays paused',
      '',
      'create   punctual-default-tick',
      '         * * * * *  UTC  →  POST /triggers/tick, waits 1 min',
      expect.stringMatching(/^ {9}next  DAY \d\d:\d\d, DAY \d\d:\d\d, DAY \d\d:\d\d  UTC$/),
      '',
      'create   punctual-default-job-report',
      '         30 2 * * *  America/New_York  →  ' +
        'POST /triggers/jobs/report, waits 10 min 30 s',
      expect.stringMatching(/^ {9}next  DAY \d\d:\d\d, .*  America\/New_York$/),
      '',
      'JOB     WOKEN BY      WHY',
      "report  own trigger   its timeout of 10m exceeds a tick's 40s",
      'odd     the tick      its timeout of 20s fits into a tick',
      '',
      'WARNINGS',
      expect.stringMatching(/^report  \d+ March \d{4}: 02:30 does not exist, runs 03:00$/),
      '',
      'What Cloud Scheduler does in an hour that is left out or comes twice is not documented. Its ' +
        'triggers',
      'are hints: the service decides as told above, and the tick makes good within a minute what a ' +
        'trigger',
      'does not.',
      '',
      'Plan: 2 to create. Nothing was changed: --apply does it',
      '',
    ]);
    expect(applied.err.split('\n')).toEqual([
      '1/2 created punctual-default-tick',
      '2/2 created punctual-default-job-report',
      '2 steps done: Cloud Scheduler is in step',
      '',
    ]);
    expect(checked.out).toContain('\nCloud Scheduler is in step: nothing to do\n');
  });

  test('shows an update setting by setting, with what comes before and after', async () => {
    const fake = await fakeScheduler();
    const nightly = { name: 'report', schedule: '30 2 * * *' };
    await sync(fake, jobsModule(nightly), '--offline', '--apply');

    const later = jobsModule({ ...nightly, schedule: '0 3 * * *' });
    const { out } = await sync(fake, later, '--offline');

    expect(out).toContain('schedule  30 2 * * *  →  0 3 * * *');
    expect(out).toMatch(/before    \S+ 02:30, /);
    expect(out).toMatch(/after     \S+ 03:00, /);
    expect(out).toContain('Plan: 1 to update. Nothing was changed');
  });

  test('drift by hand is found, and is put right', async () => {
    const fake = await fakeScheduler();
    const jobs = jobsModule(NIGHT);
    await sync(fake, jobs, '--offline', '--apply');
    fake.jobs.get('punctual-default-tick')!.schedule = '*/5 * * * *';

    const drifted = await sync(fake, jobs, '--offline', '--check', '--json');
    await sync(fake, jobs, '--offline', '--apply');

    expect(drifted.status).toBe(1);
    expect(JSON.parse(drifted.out)).toMatchObject({
      namespace: 'default',
      inSync: false,
      ours: 2,
      others: 0,
      steps: [
        {
          kind: 'update',
          id: 'punctual-default-tick',
          changes: [{ setting: 'schedule', from: '*/5 * * * *', to: '* * * * *' }],
        },
      ],
      wakings: [{ job: 'report', by: 'trigger', triggers: ['punctual-default-job-report'] }],
      warnings: [{ job: 'report', text: expect.stringContaining('02:30 does not exist') }],
    });
    expect(fake.jobs.get('punctual-default-tick')?.schedule).toBe('* * * * *');
  });

  test('pauses what is paused in the store, and resumes it', async () => {
    const fake = await fakeScheduler();
    const jobs = jobsModule(NIGHT, { ...NIGHT, name: 'other' });
    const env = { ...jobs, PUNCTUAL_DB: join(tempFolder(), 'punctual.db') };
    const server = await startServer(env);
    await server.json('/api/v1/jobs/report/pause', { method: 'PUT' });

    const { out, err } = await sync(fake, env, '--apply');
    const states = [...fake.jobs.values()].map(({ state }) => state);
    await server.json('/api/v1/jobs/report/pause', { method: 'DELETE' });
    const resumed = await sync(fake, env, '--apply');

    expect(err).toContain('4/4 paused punctual-default-job-report');
    expect(out).toContain('report  paused, and its trigger with it');
    expect(states).toEqual(['ENABLED', 'PAUSED', 'ENABLED']);
    expect(resumed.err).toContain('1/1 resumed punctual-default-job-report');
    expect(fake.jobs.get('punctual-default-job-report')?.state).toBe('ENABLED');
  });

  test('keeps in the store what it found, for the system page', async () => {
    const fake = await fakeScheduler();
    const env = {
      ...jobsModule(NIGHT),
      PUNCTUAL_DB: join(tempFolder(), 'punctual.db'),
      PUNCTUAL_WAKE: 'tick',
    };
    const server = await startServer(env);
    const kept = async (): Promise<string> => {
      const page = await (await fetch(`${server.url}/system`)).text();
      return /Cloud Scheduler<\/dt><dd>(.*?)<\/dd>/s.exec(page)?.[1]?.replace(/<[^>]*>/g, '') ?? '';
    };

    await sync(fake, env);
    const planned = await kept();
    await sync(fake, env, '--check');
    const checked = await kept();
    await sync(fake, env, '--apply');
    const applied = await kept();

    expect(planned).toMatch(/^never compared/);
    expect(checked).toMatch(/^out of step .*: 2 to create$/);
    expect(applied).toMatch(/^in step when last compared, /);
  });

  test("leaves somebody else's job that is in the way, says so, and exits 1", async () => {
    const fake = await fakeScheduler();
    const jobs = jobsModule(NIGHT);
    await sync(fake, jobs, '--offline', '--apply');
    const tick = fake.jobs.get('punctual-default-tick')!;
    Object.assign(tick, { description: 'mine', schedule: '0 0 1 1 *' });

    const { status, out, err } = await sync(fake, jobs, '--offline', '--apply');

    expect(status).toBe(1);
    expect(out).toMatch(/^blocked  punctual-default-tick\n {9}has this id, but a description/m);
    expect(err).toContain('left as it is: punctual-default-tick is not ours');
    expect(tick.schedule).toBe('0 0 1 1 *');
  });

  test('goes on after a moment without answer, and says so', async () => {
    const fake = await fakeScheduler();
    let failures = 1;
    fake.before = (method) => {
      if (method === 'createJob' && failures-- > 0) {
        throw new Refusal('UNAVAILABLE', 'The service is currently unavailable.');
      }
    };

    const { status, err } = await sync(fake, jobsModule(), '--offline', '--apply');

    expect(status).toBe(0);
    expect(err).toBe(
      'create punctual-default-tick: no answer: The service is currently unavailable.: ' +
        'again in 1 s\n1/1 created punctual-default-tick\n1 step done: Cloud Scheduler is in step\n',
    );
  });

  test('refused halfway tells what is done, which role is missing, and exits 2', async () => {
    const fake = await fakeScheduler();
    fake.before = (method, id) => {
      if (method === 'createJob' && id.endsWith('report')) {
        throw new Refusal('PERMISSION_DENIED', 'The principal lacks iam.serviceAccounts.actAs.');
      }
    };

    const { status, err } = await sync(fake, jobsModule(NIGHT), '--offline', '--apply');

    expect(status).toBe(2);
    expect(err.trimEnd().split('\n')).toEqual([
      '1/2 created punctual-default-tick',
      '1 step of 2 done; the same command goes on from there',
      'create punctual-default-job-report: not allowed. Whoever runs this needs the role ' +
        'Service Account User (roles/iam.serviceAccountUser) on ' +
        SETTINGS.PUNCTUAL_SCHEDULER_ACCOUNT,
      'Cloud Scheduler says: The principal lacks iam.serviceAccounts.actAs.',
    ]);
  });
});

describe('what cannot be carried out exits 2, says why, and prints no plan', () => {
  test.each([
    [
      {},
      [],
      'not set, and needed for Cloud Scheduler:\n' +
        '  GOOGLE_CLOUD_PROJECT        the id of the project, such as my-project\n' +
        '  PUNCTUAL_LOCATION           the region, such as europe-west1\n' +
        '  PUNCTUAL_SERVICE_URL        where the service is, such as https://my.example.com\n' +
        '  PUNCTUAL_SCHEDULER_ACCOUNT  the service account whose tokens triggers bear\n',
    ],
    [
      { ...SETTINGS, PUNCTUAL_LOCATION: '' },
      [],
      'for Cloud Scheduler:\n  PUNCTUAL_LOCATION           the region, such as europe-west1\n',
    ],
    [
      { ...SETTINGS, PUNCTUAL_SERVICE_URL: 'http://localhost:8080' },
      [],
      'PUNCTUAL_SERVICE_URL is "http://localhost:8080"; Cloud Scheduler needs https there\n',
    ],
    [
      { ...SETTINGS, PUNCTUAL_DB: '/nowhere/none.db' },
      [],
      'there is no database /nowhere/none.db to ask which jobs are paused\n' +
        'PUNCTUAL_STORE=firestore asks Firestore; --offline leaves pauses as they are\n',
    ],
    [
      { ...SETTINGS, ...NO_CREDENTIALS, PUNCTUAL_STORE: 'firestore' },
      [],
      'the store does not say which jobs are paused (PUNCTUAL_STORE=firestore asks Firestore; ' +
        '--offline leaves pauses as they are); because Could not load the default credentials',
    ],
    [
      { ...SETTINGS, ...NO_CREDENTIALS },
      ['--offline', '--check'],
      'list Cloud Scheduler of shop, europe-west1: no credentials are found here: gcloud auth ' +
        'application-default login makes some\n',
    ],
    [SETTINGS, ['--per-job', 'some'], '--per-job is "some"; right would be one of long, all, none'],
    [SETTINGS, ['--apply', '--check'], '--check changes nothing, so --apply cannot go with it'],
    [SETTINGS, ['--aply'], "Unknown option '--aply'"],
  ])('%j %j', (env, words, told) => {
    const { status, out, err } = call('scheduler-sync.ts', words, env);

    expect([status, out]).toEqual([2, '']);
    expect(err).toContain(told);
  });

  test('--help tells how it is called, and exits 0', () => {
    const { status, out } = call('scheduler-sync.ts', ['--help']);

    expect(status).toBe(0);
    expect(out).toContain('npm run scheduler:sync -- --apply');
  });
});
