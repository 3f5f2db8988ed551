import { describe, expect, onTestFinished, test } from 'vitest';
import { defineJob, type Job } from '../../server/core/job.ts';
import type { Pause } from '../../server/core/records.ts';
import { CloudScheduler } from '../../server/triggers/cloud-scheduler.ts';
import { applyPlan, steadily, type Progress } from '../../server/triggers/scheduler-apply.ts';
import { planOf, type Aims, type Plan } from '../../server/triggers/scheduler-plan.ts';
import { wantedJobs } from '../../server/triggers/scheduler-wanted.ts';
import { fakeScheduler, PARENT, Refusal, type FakeScheduler } from './fake-scheduler.ts';

/** Google's own client, against a server made from its own protos. */

const NOW = Date.parse('2026-03-01T00:00Z');
const ACCOUNT = 'ticker@shop.iam.gserviceaccount.com';
const TICK = 'punctual-default-tick';

const job = (name: string, schedule = '0 2 * * *'): Job =>
  defineJob({ name, schedule, timeZone: 'Europe/London', run: () => undefined });
const idOf = (name: string): string => `punctual-default-job-${name}`;

function aimsOf(jobs: readonly Job[], paused: readonly string[] = []): Aims {
  const registry = new Map(jobs.map((one) => [one.name, one]));
  const pause: Pause = { at: NOW, by: 'ann', note: null, until: null };
  const { jobs: wanted } = wantedJobs(registry, {
    namespace: 'default',
    serviceUrl: 'https://punctual.example.com',
    account: ACCOUNT,
    perJob: 'long',
    tickCarriesMs: 40_000,
    tasks: false,
    pauses: new Map(paused.map((name) => [name, pause])),
    now: NOW,
  });
  return { wanted, namespace: 'default', registered: (name) => registry.has(name), now: NOW };
}

async function setting() {
  const fake = await fakeScheduler();
  const place = { project: 'shop', location: 'europe-west1', account: ACCOUNT };
  const scheduler = new CloudScheduler({ ...place, endpoint: fake.address });
  onTestFinished(() => scheduler.close());
  const slept: number[] = [];
  const clock = {
    monotonic: () => 0,
    wall: () => NOW,
    after(ms: number, call: () => void) {
      slept.push(ms);
      const timer = setImmediate(call);
      return () => clearImmediate(timer);
    },
  };
  const progress: string[] = [];
  const onStep = ({ step, outcome }: Progress): void =>
    void progress.push(`${outcome}: ${step.kind} ${step.id}`);
  const around = { clock, onStep, onRetry: () => undefined };
  const plan = async (jobs: readonly Job[], paused: readonly string[] = []): Promise<Plan> =>
    planOf(await steadily(() => scheduler.list(), around), aimsOf(jobs, paused));
  const sync = async (jobs: readonly Job[], paused: readonly string[] = []) =>
    applyPlan(scheduler, await plan(jobs, paused), aimsOf(jobs, paused), around);
  const changes = (): string[] => fake.calls.filter((call) => !call.startsWith('listJobs'));
  return { fake, scheduler, plan, sync, slept, progress, changes };
}

/** Somebody else's, in the same project and region. */
function putForeign(fake: FakeScheduler, id: string): void {
  fake.jobs.set(id, {
    name: `${PARENT}/jobs/${id}`,
    description: 'mine',
    schedule: 'every 5 minutes',
    timeZone: 'UTC',
    state: 'ENABLED',
    target: 'pubsubTarget',
    httpTarget: null,
    attemptDeadline: null,
    retryConfig: null,
  });
}

describe('applied', () => {
  test('all is there as it was meant, and a second plan is empty', async () => {
    const { fake, plan, sync } = await setting();
    const jobs = [job('report'), job('month-end', '0 3 L * *')];

    const { done, failed, left } = await sync(jobs);

    expect({ done, failed, left: left.steps }).toEqual({ done: 3, failed: [], left: [] });
    expect((await plan(jobs)).steps).toEqual([]);
    expect(fake.jobs.get(idOf('report'))).toMatchObject({
      name: `${PARENT}/jobs/${idOf('report')}`,
      schedule: '0 2 * * *',
      timeZone: 'Europe/London',
      state: 'ENABLED',
      httpTarget: {
        uri: 'https://punctual.example.com/triggers/jobs/report',
        httpMethod: 'POST',
        oidcToken: { serviceAccountEmail: ACCOUNT, audience: 'https://punctual.example.com' },
      },
      attemptDeadline: { seconds: '630' },
      retryConfig: { retryCount: 3, minBackoffDuration: { seconds: '10' }, maxDoublings: 3 },
    });
    expect(fake.jobs.get(TICK)).toMatchObject({ timeZone: 'Etc/UTC', schedule: '* * * * *' });
  });

  test('more jobs than a page holds are all seen', async () => {
    const { fake, plan, sync } = await setting();
    const jobs = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => job(name));
    await sync(jobs);
    fake.pageLimit = 2;
    fake.calls.length = 0;

    const { steps, ours } = await plan(jobs.slice(0, 5));

    expect(ours).toBe(7);
    expect(steps.map(({ kind, id }) => `${kind} ${id}`)).toEqual([`delete ${idOf('f')}`]);
    expect(fake.calls).toHaveLength(4);
  });

  test('an update names what it changes, and leaves all else', async () => {
    const { fake, sync } = await setting();
    await sync([job('report')]);
    const before = structuredClone(fake.jobs.get(idOf('report')));

    await sync([job('report', '0 3 * * *')]);

    expect(fake.masks).toEqual([['schedule']]);
    expect(fake.jobs.get(idOf('report'))).toEqual({ ...before, schedule: '0 3 * * *' });
  });

  test('settings of one part are one path, and a changed target is put right', async () => {
    const { fake, sync } = await setting();
    await sync([job('report')]);
    const report = fake.jobs.get(idOf('report'))!;
    report.httpTarget = { ...report.httpTarget!, uri: 'https://old.example.com', oidcToken: null };

    const { left } = await sync([job('report')]);

    expect(left.steps).toEqual([]);
    expect(fake.masks).toEqual([['http_target']]);
    expect(fake.jobs.get(idOf('report'))?.httpTarget?.oidcToken?.serviceAccountEmail).toBe(ACCOUNT);
  });

  test("others' jobs are left alone, whatever happens to ours", async () => {
    const { fake, sync } = await setting();
    putForeign(fake, 'backup');
    putForeign(fake, idOf('old'));
    const before = structuredClone([...fake.jobs.values()]);

    await sync([job('report'), job('other')]);
    await sync([]);

    expect([...fake.jobs.values()].filter(({ description }) => description === 'mine')).toEqual(
      before,
    );
    expect([...fake.jobs.keys()]).toEqual(['backup', idOf('old'), TICK]);
  });

  test('pauses and resumes follow the jobs', async () => {
    const { fake, sync } = await setting();

    await sync([job('report')], ['report']);
    const paused = fake.jobs.get(idOf('report'))?.state;
    await sync([job('report', '0 3 * * *')], ['report']);
    const changed = fake.jobs.get(idOf('report'))?.state;
    await sync([job('report', '0 3 * * *')]);

    expect([paused, changed]).toEqual(['PAUSED', 'PAUSED']);
    expect(fake.jobs.get(idOf('report'))?.state).toBe('ENABLED');
  });

  test('what the system disabled is made anew; what failed to update is updated', async () => {
    const { fake, sync, changes } = await setting();
    await sync([job('report'), job('other')]);
    fake.jobs.get(idOf('report'))!.state = 'DISABLED';
    fake.jobs.get(idOf('other'))!.state = 'UPDATE_FAILED';
    fake.calls.length = 0;

    const { left } = await sync([job('report'), job('other')]);

    expect(left.steps).toEqual([]);
    expect(changes()).toEqual([
      `deleteJob ${idOf('report')}`,
      `createJob ${idOf('report')}`,
      `updateJob ${idOf('other')}`,
    ]);
    expect(fake.masks.at(-1)).toHaveLength(6);
  });

  test('changes keep to 300 a minute', async () => {
    const { sync, slept } = await setting();

    await sync(['a', 'b', 'c'].map((name) => job(name)));

    expect(slept).toEqual([200, 200, 200, 200]);
  });
});

describe('others at work at the same time', () => {
  test('one that is gone before it is deleted is as good as deleted', async () => {
    const { fake, sync, progress } = await setting();
    await sync([job('report')]);
    fake.before = (method, id) => {
      if (method === 'deleteJob') fake.jobs.delete(id);
    };

    const { left } = await sync([]);

    expect(left.steps).toEqual([]);
    expect(progress.at(-1)).toBe(`lost: delete ${idOf('report')}`);
  });

  test('one that is there before it is created is put right if it is ours', async () => {
    const { fake, sync, progress } = await setting();
    await sync([job('report', '0 5 * * *')]);
    const older = fake.jobs.get(idOf('report'))!;
    fake.jobs.delete(idOf('report'));
    fake.before = (method, id) => {
      if (method === 'createJob') fake.jobs.set(id, older);
    };

    const { left } = await sync([job('report', '0 6 * * *')]);

    expect(left.steps).toEqual([]);
    expect(progress.slice(-2)).toEqual([
      `lost: create ${idOf('report')}`,
      `done: update ${idOf('report')}`,
    ]);
    expect(fake.jobs.get(idOf('report'))?.schedule).toBe('0 6 * * *');
  });

  test('and left as it is if it is not', async () => {
    const { fake, sync } = await setting();
    fake.before = (method, id) => {
      if (method === 'createJob' && id !== TICK) putForeign(fake, id);
    };

    const { left } = await sync([job('report')]);

    expect(left.steps).toMatchObject([{ kind: 'blocked', id: idOf('report') }]);
    expect(fake.jobs.get(idOf('report'))?.description).toBe('mine');
  });

  test('one that was deleted before it is updated is created', async () => {
    const { fake, sync } = await setting();
    await sync([job('report')]);
    fake.before = (method, id) => {
      if (method === 'updateJob') fake.jobs.delete(id);
    };

    const { left } = await sync([job('report', '0 3 * * *')]);

    expect(left.steps).toEqual([]);
    expect(fake.jobs.get(idOf('report'))?.schedule).toBe('0 3 * * *');
  });

  test('one that somebody paused already is paused', async () => {
    const { fake, sync } = await setting();
    await sync([job('report')]);
    fake.before = (method, id) => {
      if (method === 'pauseJob') fake.jobs.get(id)!.state = 'PAUSED';
    };

    const { failed, left } = await sync([job('report')], ['report']);

    expect({ failed, left: left.steps }).toEqual({ failed: [], left: [] });
  });
});

describe('a call that fails', () => {
  const down = () => {
    throw new Refusal('UNAVAILABLE', 'The service is currently unavailable.');
  };

  test('for a while is made again, after longer and longer pauses', async () => {
    const { fake, sync, slept } = await setting();
    let failures = 3;
    fake.before = (method) => {
      if (method === 'createJob' && failures-- > 0) down();
    };

    const { left } = await sync([]);

    expect(left.steps).toEqual([]);
    expect(slept).toEqual([200, 1000, 2000, 4000]);
  });

  test('for want of quota is made again until a minute has passed', async () => {
    const { fake, sync, slept } = await setting();
    let failures = 6;
    fake.before = (method) => {
      if (method === 'createJob' && failures-- > 0) {
        throw new Refusal('RESOURCE_EXHAUSTED', 'Quota exceeded for write requests per minute.');
      }
    };

    const { left } = await sync([]);

    expect(left.steps).toEqual([]);
    expect(slept.reduce((sum, ms) => sum + ms)).toBeGreaterThan(60_000);
  });

  test('for good ends it halfway, and the next goes on from there', async () => {
    const { fake, sync, changes } = await setting();
    const jobs = ['a', 'b', 'c'].map((name) => job(name));
    fake.before = (method, id) => {
      if (method === 'createJob' && id === idOf('b')) down();
    };
    const first = sync(jobs);
    await expect(first).rejects.toMatchObject({
      kind: 'passing',
      message: `create ${idOf('b')}: no answer: The service is currently unavailable.`,
    });
    fake.before = () => undefined;
    fake.calls.length = 0;

    const { left } = await sync(jobs);

    expect(left.steps).toEqual([]);
    expect(changes()).toEqual([`createJob ${idOf('b')}`, `createJob ${idOf('c')}`]);
  });

  test('after it was carried out does no harm', async () => {
    const { fake, sync } = await setting();
    await sync([job('gone')]);
    const answered = new Set<string>();
    fake.afterwards = (method, id) => {
      if (method === 'listJobs' || answered.has(`${method} ${id}`)) return;
      answered.add(`${method} ${id}`);
      down();
    };

    const { left } = await sync([job('report'), job('other')], ['other']);

    expect(left.steps).toEqual([]);
    expect([...fake.jobs.values()].map(({ state }) => state)).toEqual([
      'ENABLED',
      'ENABLED',
      'PAUSED',
    ]);
  });

  test('because of one job keeps no other from being made', async () => {
    const { fake, sync } = await setting();
    fake.before = (method, id) => {
      if (method === 'createJob' && id === idOf('a')) {
        throw new Refusal('INVALID_ARGUMENT', 'Schedule or time zone is invalid.');
      }
    };

    const { failed, left } = await sync([job('a'), job('b')]);

    expect(failed.map(({ why }) => why)).toEqual([
      `create ${idOf('a')}: Schedule or time zone is invalid.`,
    ]);
    expect(left.steps).toMatchObject([{ kind: 'create', id: idOf('a') }]);
    expect(fake.jobs.has(idOf('b'))).toBe(true);
  });

  test.each([
    [
      'listJobs',
      'PERMISSION_DENIED',
      'The principal lacks IAM permission "cloudscheduler.jobs.list".',
      'Cloud Scheduler Admin (roles/cloudscheduler.admin) in shop',
    ],
    [
      'createJob',
      'PERMISSION_DENIED',
      'The principal lacks IAM permission "iam.serviceAccounts.actAs" for the resource.',
      `Service Account User (roles/iam.serviceAccountUser) on ${ACCOUNT}`,
    ],
    [
      'listJobs',
      'PERMISSION_DENIED',
      'Cloud Scheduler API has not been used in project shop before or it is disabled.',
      'gcloud services enable cloudscheduler.googleapis.com --project=shop',
    ],
    ['listJobs', 'UNAUTHENTICATED', 'Invalid credentials.', 'are the credentials right?'],
    [
      'listJobs',
      'NOT_FOUND',
      'Location not found.',
      'are PUNCTUAL_LOCATION and the project right?',
    ],
  ] as const)('%s: %s: %s is told with what to do', async (method, code, detail, advice) => {
    const { fake, sync, slept } = await setting();
    fake.before = (called) => {
      if (called === method) throw new Refusal(code, detail);
    };

    await expect(sync([job('report')])).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(advice),
    });
    expect(slept.filter((ms) => ms >= 1000)).toEqual([]);
  });
});
