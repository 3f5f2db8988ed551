import { readConfig } from '../../server/config.ts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { TEST_START } from '../test-clock.ts';
import { token } from './google.ts';
import {
  SERVICE,
  SCHEDULER,
  TASKS,
  STRANGER,
  TICK,
  google,
  type Place,
  type Headers,
  ACCOUNTS,
  THROUGH_PROXY,
  open,
  claims,
  bearer,
  from,
  expectNothingOf,
  rawPost,
} from './triggering.ts';

// The library reads the clock itself: it and the service are shown the same one.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: TEST_START }));
afterEach(() => void vi.useRealTimers());

describe('who may trigger', () => {
  const ALL = [200, 200, 200];
  const WAKES = [200, 200, 403];
  const RUNS = [403, 403, 200];
  // A forged header is refused where it would count, and is no credential elsewhere.
  const NO_WAKE = [403, 403, 401];
  const NO_RUN = [401, 401, 403];
  const UNKNOWN = [401, 401, 401];
  const cron = { 'X-Appengine-Cron': 'true' };
  const queue = { 'X-AppEngine-QueueName': 'runs' };
  const scheduled = {
    'X-CloudScheduler': 'true',
    'X-CloudScheduler-JobName': 'tick',
    'X-CloudScheduler-ScheduleTime': '2026-03-01T00:00:00Z',
    'User-Agent': 'Google-Cloud-Scheduler',
  };
  const queued = { 'X-CloudTasks-QueueName': 'runs', 'X-CloudTasks-TaskName': 'job-1' };
  const throughIap = {
    'X-Goog-IAP-JWT-Assertion': 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA',
    'X-Goog-Authenticated-User-Email': `accounts.google.com:${SCHEDULER}`,
  };
  const inside = { 'X-Forwarded-For': '127.0.0.1', Forwarded: 'for=127.0.0.1' };

  test.each<[string, Place, () => Headers, number[]]>([
    ['nobody in particular', 'app-engine', () => ({}), UNKNOWN],
    ['nobody in particular', 'cloud-run', () => ({}), UNKNOWN],
    ['nobody in particular, through a proxy', 'machine', () => THROUGH_PROXY, UNKNOWN],
    ['the owner', 'machine', () => ({}), ALL],
    ["Cloud Scheduler's account", 'app-engine', () => from(SCHEDULER), WAKES],
    ["Cloud Scheduler's account", 'cloud-run', () => from(SCHEDULER), WAKES],
    [
      "Cloud Scheduler's account, through a proxy",
      'machine',
      () => ({ ...from(SCHEDULER), ...THROUGH_PROXY }),
      WAKES,
    ],
    ["Cloud Scheduler's account", 'machine', () => from(SCHEDULER), WAKES],
    ["Cloud Tasks' account", 'app-engine', () => from(TASKS), RUNS],
    ["Cloud Tasks' account", 'cloud-run', () => from(TASKS), RUNS],
    ['an account that is not ours', 'cloud-run', () => from(STRANGER), UNKNOWN],
    ['an account whose name begins as ours', 'cloud-run', () => from(`${TASKS}.xx`), UNKNOWN],
    ['an account in capitals', 'cloud-run', () => from(TASKS.toUpperCase()), UNKNOWN],
    ["App Engine's cron", 'app-engine', () => cron, WAKES],
    ["App Engine's cron, forged", 'cloud-run', () => cron, NO_WAKE],
    ["App Engine's cron, forged", 'machine', () => cron, NO_WAKE],
    ['a cron header that says no', 'app-engine', () => ({ 'X-Appengine-Cron': 'no' }), NO_WAKE],
    ["App Engine's queue", 'app-engine', () => queue, RUNS],
    ["App Engine's queue, forged", 'cloud-run', () => queue, NO_RUN],
    ["App Engine's queue, forged", 'machine', () => queue, NO_RUN],
    ['a queue of other work', 'app-engine', () => ({ 'X-AppEngine-QueueName': 'mail' }), NO_RUN],
    [
      "a cron that names a queue, as App Engine's does",
      'app-engine',
      () => ({ ...cron, ...queue }),
      WAKES,
    ],
    [
      'a forged cron header beside a good token',
      'cloud-run',
      () => ({ ...cron, ...from(TASKS) }),
      RUNS,
    ],
    [
      'a cron header beside a bad token',
      'app-engine',
      () => ({ ...cron, ...bearer('x') }),
      UNKNOWN,
    ],
    ["Cloud Scheduler's headers alone", 'app-engine', () => scheduled, UNKNOWN],
    ["Cloud Scheduler's headers alone", 'cloud-run', () => scheduled, UNKNOWN],
    ["Cloud Tasks' headers alone", 'cloud-run', () => queued, UNKNOWN],
    ["IAP's headers, unsigned", 'app-engine', () => throughIap, UNKNOWN],
    ['somebody who claims to be here', 'cloud-run', () => inside, UNKNOWN],
    ['somebody who claims to be here', 'machine', () => inside, UNKNOWN],
  ])('%s, on %s', async (_who, place, headers, expected) => {
    const { statuses } = await open(place);

    expect(await statuses(headers())).toEqual(expected);
  });

  test('one account for both may do both', async () => {
    const { statuses } = await open('cloud-run', {
      ...ACCOUNTS,
      PUNCTUAL_TASKS_ACCOUNT: SCHEDULER,
    });

    expect(await statuses(from(SCHEDULER))).toEqual(ALL);
  });

  test.each([
    ['/triggers/RUNS/job@20260301T000000Z', SCHEDULER],
    ['/TRIGGERS/runs/job@20260301T000000Z/', SCHEDULER],
    ['/triggers//runs/job@20260301T000000Z', SCHEDULER],
    ['/triggers/r%75ns/job@20260301T000000Z', SCHEDULER],
    ['/triggers/tick/../runs/job@20260301T000000Z', SCHEDULER],
    ['/triggers/runs/x?/triggers/tick', SCHEDULER],
    ['/triggers/Tick/', TASKS],
    ['/triggers/jobs/job/', TASKS],
    ['/triggers/runs/../tick', TASKS],
    ['/triggers/elsewhere', SCHEDULER],
    ['/triggers/elsewhere/runs/job@20260301T000000Z', TASKS],
    ['/triggers', SCHEDULER],
    ['/_ah/warmup', SCHEDULER],
  ])('no spelling of a path lets an account do what is not its own: %s', async (path, email) => {
    const { url } = await open('cloud-run');

    expect((await rawPost(url, path, from(email))).status).toBe(403);
  });

  test('a path in capitals is the same path, with the same rights', async () => {
    const { post } = await open('cloud-run');

    expect((await post('/Triggers/TICK/', from(SCHEDULER))).status).toBe(200);
  });
});

describe('on a machine of one’s own', () => {
  test.each<[string, Headers, number]>([
    ['through a proxy', THROUGH_PROXY, 403],
    ['under another name', { Host: 'evil.example' }, 403],
    ["from another site's page", { Origin: 'https://evil.example' }, 403],
    ["from another site's page, says the browser", { 'Sec-Fetch-Site': 'cross-site' }, 403],
    ['with a token that nobody can check', bearer('a.b.c'), 401],
    ['from here', {}, 200],
  ])('without any account, what comes %s gets its due', async (_how, headers, status) => {
    const { url, page } = await open('machine', {});

    expect((await rawPost(url, TICK, headers)).status).toBe(status);
    expect(page.asked).toBe(0);
  });

  test.each<[string, Headers, number]>([
    ['through a proxy', THROUGH_PROXY, 401],
    ['under another name', { Host: 'evil.example' }, 401],
    ["from another site's page", { Origin: 'https://evil.example' }, 403],
    ['from here', {}, 200],
  ])('with accounts, what comes %s without a token', async (_how, headers, status) => {
    const { url } = await open('machine');

    expect((await rawPost(url, TICK, headers)).status).toBe(status);
  });

  test.each([['no accounts', { PUNCTUAL_SERVICE_URL: SERVICE }]])(
    'with %s, no token is taken',
    async (_what, env) => {
      const { post, reasons } = await open('cloud-run', env);

      const answer = await post(TICK, from(SCHEDULER));

      expect([answer.status, ...reasons()]).toEqual([401, 'no-account-configured']);
    },
  );
});

describe('a refusal', () => {
  test('does not say why, and keeps the token out of the log', async () => {
    const { post, service, reasons } = await open('cloud-run');
    const stranger = token(google, claims({ email: STRANGER }));
    const tasks = token(google, claims({ email: TASKS }));

    const answers = [
      await post(TICK, bearer(stranger)),
      await post(TICK, bearer(tasks)),
      await post('/triggers/jobs/none-such', bearer(stranger)),
      await post(TICK, { 'X-Appengine-Cron': 'true' }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 403, 401, 403]);
    const without = await post(TICK, {});
    const texts = answers.map(({ text }) => text);
    expect(texts).toEqual([without.text, texts[1], without.text, texts[1]]);
    expect(reasons()).toEqual([
      'unknown-account',
      'not-for-this-account',
      'unknown-account',
      'platform-header',
      'no-token',
    ]);
    for (const one of [stranger, tasks]) {
      expectNothingOf(one, [...answers.map(({ text }) => text), ...service.logged]);
    }
  });

  test('comes before anything else is looked at', async () => {
    const { ask, url } = await open('cloud-run');
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

    const answers = [
      await ask('POST', TICK, { body: 'a=b', headers: form }),
      await ask('POST', '/triggers/jobs/none-such'),
      await ask('POST', '/triggers/elsewhere'),
      await ask('GET', TICK),
      await ask('OPTIONS', TICK),
      await rawPost(url, TICK, { 'Content-Length': '99999999' }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401]);
  });

  test('of a path as long as the log does not fill it', async () => {
    const { post, service } = await open('cloud-run');

    await post(`/triggers/${'x'.repeat(5000)}`);

    expect(service.logged.at(-1)?.length).toBeLessThan(400);
  });

  test('is not what who may trigger gets for a slip: 404, 405 and 415 say what is wrong', async () => {
    const { ask, post } = await open('cloud-run');
    const headers = { ...from(SCHEDULER), ...THROUGH_PROXY };

    const wrongMethod = await ask('GET', TICK, { headers });
    const noJob = await post('/triggers/jobs/none-such', headers);
    const noJson = await ask('POST', TICK, { body: 'a', headers });

    expect([wrongMethod.status, noJob.status, noJson.status]).toEqual([405, 404, 415]);
    expect(wrongMethod.headers.get('Allow')).toBe('POST');
  });

  test('leaves the other pages to their own rule: a good trigger token opens none', async () => {
    const { ask } = await open('cloud-run');
    const headers = { ...from(SCHEDULER), ...THROUGH_PROXY };

    const answers = [
      await ask('GET', '/api/v1/jobs', { headers }),
      await ask('POST', '/api/v1/jobs/job/runs', { headers }),
      await ask('GET', '/', { headers }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
  });
});

describe('the start of an instance', () => {
  test.each<[Place, Headers, string, number]>([
    ['app-engine', {}, '/_ah/warmup', 200],
    ['app-engine', {}, '/_ah/start', 200],
    ['app-engine', {}, '/_ah/elsewhere', 401],
    ['cloud-run', {}, '/_ah/warmup', 401],
    ['machine', {}, '/_ah/warmup', 200],
    ['machine', THROUGH_PROXY, '/_ah/warmup', 401],
  ])('on %s with %o, %s is answered by %i', async (place, headers, path, status) => {
    const { ask, reasons } = await open(place);

    const answer = await ask('GET', path, { headers });

    expect([answer.status, ...reasons()]).toEqual(status === 200 ? [200] : [401, 'no-token']);
  });
});

test.each([
  [{ PUNCTUAL_SCHEDULER_ACCOUNT: SCHEDULER }, ['PUNCTUAL_SERVICE_URL']],
  [
    { PUNCTUAL_TASKS_QUEUE: 'runs' },
    ['PUNCTUAL_SERVICE_URL', 'PUNCTUAL_LOCATION', 'PUNCTUAL_TASKS_ACCOUNT'],
  ],
])('half a configuration is refused at the start: %j needs %j', (env, missing) => {
  const [what = ''] = Object.keys(env);

  expect(() => readConfig(env, '/', 0)).toThrow(
    missing.map((name) => `${what} is set, and needs ${name}`).join('\n'),
  );
});
