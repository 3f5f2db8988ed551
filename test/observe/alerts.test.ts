import { createHmac } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import type { Handler } from '../../server/core/job.ts';
import { cancelRun, pauseJob, runNow } from '../../server/core/run-now.ts';
import { UnknownOutcome } from '../../server/core/store.ts';
import { runRequest } from '../builders.ts';
import { byHand, job, noon, openService, tempDb } from '../service.ts';
import { testClock } from '../test-clock.ts';
import { alertEnv, alerting, switched, while_ } from './alerting.ts';
import { receiver } from './receiver.ts';

/** What goes wrong is told to a real receiver, through the whole service. */

const failing: Handler = () => {
  throw new Error('the database is away');
};

describe('a run that fails for good', () => {
  test('is told once, with what somebody needs to begin with', async () => {
    const { service, told } = await alerting([job({ run: failing })]);
    await service.wake('00:01:00');
    const run = await service.lastRun();

    expect(await told()).toEqual([
      {
        id: 'failed:job@20260301T000100Z',
        kind: 'failed',
        job: 'job',
        run: 'job@20260301T000100Z',
        state: 'failed',
        reason: null,
        scheduledAt: '2026-03-01T00:01:00.000Z',
        at: new Date(run.endedAt ?? 0).toISOString(),
        error: { name: 'Error', message: 'the database is away' },
        failures: 1,
        trace: run.traceparent?.split('-')[1],
        link: null,
        build: 'build-7',
      },
    ]);
  });

  test('is told after its last attempt, and not before', async () => {
    const retry = { attempts: 2, backoff: { from: '10s', jitter: 0 } } as const;
    const { service, told } = await alerting([job({ run: failing, retry, overlap: 'queue' })]);
    await service.wake('00:01:00');
    const before = await told();
    await service.wake('00:01:10');

    expect(before).toEqual([]);
    expect(await told()).toMatchObject([{ kind: 'failed', run: 'job@20260301T000100Z' }]);
  });

  test('again and again is told at once, and then once an hour with how often', async () => {
    const { service, told } = await alerting([job({ run: failing, schedule: '*/5 * * * *' })]);
    for (let minute = 5; minute < 150; minute += 5) {
      const [hour, rest] = [Math.floor(minute / 60), minute % 60];
      await service.wake(`0${hour}:${String(rest).padStart(2, '0')}:00`);
      await told();
    }

    expect((await told()).map(({ scheduledAt, failures }) => [scheduledAt, failures])).toEqual([
      ['2026-03-01T00:05:00.000Z', 1],
      ['2026-03-01T01:00:00.000Z', 12],
      ['2026-03-01T02:00:00.000Z', 24],
    ]);
  });

  test('is told by one of several instances, which remember nothing of each other', async () => {
    const clock = testClock();
    const shared = { path: tempDb(), clock };
    const { state, run } = switched();
    const first = await alerting([job({ run })], shared);
    const env = { ...alertEnv(first.site), PUNCTUAL_WAKE: 'tick' };
    const second = await openService([job({ run })], { ...shared, env });
    for (let minute = 1; minute <= 6; minute += 1) {
      state.fails = minute < 6;
      await (minute % 2 === 0 ? first.service : second).wake(`00:0${minute}:00`);
      await second.deps.observer?.settled(60_000);
      await first.told();
    }

    expect((await first.told()).map(({ id, failures }) => [id, failures])).toEqual([
      ['failed:job@20260301T000100Z', 1],
      ['recovered:job@20260301T000600Z', 5],
    ]);
  });

  test('is told once, too, where the answer of the store was lost', async () => {
    const { service, told } = await alerting([job({ run: failing })]);
    const { store } = service;
    const commit = store.commit.bind(store);
    let lost = 0;
    store.commit = async (asked) => {
      const answer = await commit(asked);
      if (asked.op !== 'finish' || lost++ > 0) return answer;
      throw new UnknownOutcome('the line went dead');
    };
    await service.wake('00:01:00');
    await service.clock.advance(1000);

    expect(await told()).toMatchObject([{ kind: 'failed', run: 'job@20260301T000100Z' }]);
    expect((await service.lastRun()).state).toBe('failed');
  });

  test('is told to be over when the next one succeeds, and that only once', async () => {
    const { state, run } = switched();
    const { service, told } = await alerting([job({ run })]);
    await service.wake('00:01:00');
    await told();
    state.fails = false;
    for (const minute of [2, 3]) {
      await service.wake(`00:0${minute}:00`);
      await told();
    }

    expect(await told()).toMatchObject([
      { kind: 'failed' },
      { kind: 'recovered', state: 'succeeded', run: 'job@20260301T000200Z', failures: 1 },
    ]);
  });
});

describe('other things that somebody should know', () => {
  test('a run that takes too long', async () => {
    const run: Handler = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const { service, told } = await alerting([job({ run, timeout: '5s' })]);
    await service.wake('00:01:00');
    await service.clock.advance(5000);
    await service.idle();

    expect(await told()).toMatchObject([{ kind: 'timed_out', state: 'timed_out' }]);
  });

  test('a handler that does not stop, while it does not', async () => {
    const run: Handler = () => new Promise(() => undefined);
    const { service, told } = await alerting([job({ run, timeout: '5s' })]);
    await service.wake('00:01:00');
    await service.clock.advance(5000);
    const before = await told();
    await service.clock.advance(1000);

    expect(before).toEqual([]);
    expect(await told()).toMatchObject([
      {
        kind: 'overdue',
        state: 'running',
        reason: 'the attempt took longer than its timeout of 5000 ms',
      },
    ]);
  });

  test('a run whose process died, told by whoever finds it', async () => {
    const clock = testClock();
    const shared = { path: tempDb(), clock };
    const hangs = job({ run: () => new Promise(() => undefined) });
    const gone = await openService([hangs], { ...shared, env: { PUNCTUAL_WAKE: 'tick' } });
    await gone.wake('00:01:00');
    gone.deps.runner.drain = async () => 0;
    await gone.store.close();
    const { service, told } = await alerting([job({})], shared);
    await service.wake('00:10:00');

    const [lost] = (await told()).filter(({ kind }) => kind === 'lost');

    expect(lost).toMatchObject({ run: 'job@20260301T000100Z', error: { name: 'LostLease' } });
  });

  test('occurrences that nobody was there for, as one', async () => {
    const { service, told } = await alerting([job({ catchUp: { runs: 'none' } })]);
    await service.wake('00:01:00');
    await service.wake('05:00:00');

    expect(await told()).toMatchObject([
      {
        kind: 'missed',
        state: 'missed',
        reason: 'outage',
        missed: { count: 296, from: '2026-03-01T00:02:00.000Z', to: '2026-03-01T04:57:00.000Z' },
      },
    ]);
  });

  test('a job that is set aside, once', async () => {
    const path = tempDb();
    const { service, told } = await alerting([job({}), job({ name: 'other' })], { path });
    const db = new DatabaseSync(path, { timeout: 5000 });
    db.exec(`UPDATE jobs SET doc = '{"oops":1}' WHERE name = 'job'`);
    db.close();
    await service.wake('00:01:00');
    const first = await told();
    await service.wake('00:20:00');
    await service.wake('00:40:00');

    expect(first).toMatchObject([{ kind: 'set_aside', job: 'job', run: null, state: null }]);
    expect(first[0]?.['reason']).toMatch(/the record of job "job" can't be used/);
    expect((await told()).filter(({ kind }) => kind === 'set_aside')).toHaveLength(1);
  });

  test('but not what people cancel, nor what is skipped', async () => {
    const run: Handler = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const { service, told } = await alerting([job({ run })]);
    await service.wake('00:01:00');
    await cancelRun(service.deps, 'job@20260301T000100Z', 'ann');
    await service.clock.advance(1000);
    await pauseJob(service.deps, 'job', { by: 'ann', note: null, until: noon('00:05:30') });
    await service.wake('00:06:00');
    await cancelRun(service.deps, 'job@20260301T000600Z', 'ann');
    await service.clock.advance(1000);

    const states = (await service.runs()).map(({ state }) => state);
    expect(states.toSorted()).toEqual(['cancelled', 'cancelled', 'skipped']);
    expect(await told()).toEqual([]);
  });
});

describe('an alert', () => {
  test('says nothing of the input, the output, the log or the stack', async () => {
    const run: Handler = ({ log }) => {
      log('s3cret in the log');
      throw new Error('bad token');
    };
    const input = v.object({ token: v.string() });
    const made = byHand({ run, input } as never);
    const { service, site, told } = await alerting([made], { env: { PUNCTUAL_WAKE: 'timer' } });

    await runNow(service.deps, made, runRequest({ input: { token: 's3cret' }, by: 'ann' }));
    await service.idle();
    await site.count(1);

    expect(site.received[0]?.text).not.toMatch(/s3cret|alerts\.test|at .*:\d+/);
    expect(await told()).toMatchObject([{ error: { name: 'Error', message: 'bad token' } }]);
  });

  test('of a message of any length and content is short, and JSON', async () => {
    const message = `\u0000\u001b[31m<b>\u202e\ud800 ${'x'.repeat(1_000_000)}`;
    const run: Handler = () => {
      throw new Error(message);
    };
    const { service, site, told } = await alerting([job({ run })]);
    await service.wake('00:01:00');
    const [alert] = await told();

    expect(alert?.['error'].message).toBe(message.slice(0, 1000));
    expect(site.received[0]?.text.length).toBeLessThan(2000);
  });

  test('is signed, with the time, so that its receiver can tell who sent it and when', async () => {
    const secret = 'of-16-letters-or-more';
    const env = { PUNCTUAL_ALERT_SECRET: secret };
    const { service, site, told } = await alerting([job({ run: failing })], { env });
    await service.wake('00:01:00');
    await told();

    const { headers, text } = site.received[0]!;
    const [, at, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(
      String(headers['x-punctual-signature']),
    )!;
    expect(Number(at) * 1000).toBe(Date.UTC(2026, 2, 1, 0, 1));
    expect(mac).toBe(createHmac('sha256', secret).update(`${at}.${text}`).digest('hex'));
    expect(headers['content-type']).toBe('application/json');
    expect(service.logged.join('\n')).not.toContain(secret);
  });

  test('without a secret is not signed', async () => {
    const { service, site, told } = await alerting([job({ run: failing })]);
    await service.wake('00:01:00');
    await told();

    expect(site.received[0]?.headers).not.toHaveProperty('x-punctual-signature');
  });

  test('links to the run, where it is known where that is', async () => {
    const env = { PUNCTUAL_SERVICE_URL: 'https://punctual.example.com' };
    const { service, told } = await alerting([job({ run: failing })], { env });
    await service.wake('00:01:00');

    expect((await told())[0]?.['link']).toBe(
      'https://punctual.example.com/runs/job%4020260301T000100Z',
    );
  });
});

describe('a receiver that does not take it', () => {
  const logged = (lines: readonly string[]): readonly string[] =>
    lines.filter((line) => line.includes(' alert_'));

  test('for a moment is asked once more, with the same alert', async () => {
    const { service, site, told } = await alerting([job({ run: failing })]);
    site.answers = [503, 204];
    await service.wake('00:01:00');
    await site.count(1);
    await while_(service, 100, site.count(2));
    const [first, second] = await told();

    expect(first).toEqual(second);
    expect(logged(service.logged)).toEqual([expect.stringContaining('info alert_sent')]);
  });

  test('at all is a line in the log, with the trace and without the address', async () => {
    const { service, site } = await alerting([job({ run: failing })]);
    site.answers = [500];
    await service.wake('00:01:00');
    await while_(service, 100, site.count(2));
    await service.deps.observer?.settled(60_000);
    const { traceparent } = await service.lastRun();

    const [line] = logged(service.logged);
    expect(line).toContain('warn alert_not_sent');
    expect(line).toContain('"error":"it answered 500"');
    expect(line).toContain(`"trace":"${traceparent}"`);
    expect(service.logged.join('\n')).not.toContain('k3y-of-the-hook');
    expect(site.received).toHaveLength(2);
  });

  test.each([
    [404, 'it answered 404'],
    [410, 'it answered 410'],
  ])('with %i is not asked again', async (status, words) => {
    const { service, site, told } = await alerting([job({ run: failing })]);
    site.answers = [status];
    await service.wake('00:01:00');
    await told();

    expect(site.received).toHaveLength(1);
    expect(logged(service.logged)[0]).toContain(words);
  });

  test('but sends it elsewhere is not followed', async () => {
    const inner = await receiver();
    const { service, site, told } = await alerting([job({ run: failing })]);
    site.answers = [(res) => res.writeHead(307, { Location: inner.url }).end()];
    await service.wake('00:01:00');
    await told();

    expect(inner.received).toEqual([]);
    expect(logged(service.logged)[0]).toContain('it answered 307: redirects are not followed');
  });

  test('and never answers is left after ten seconds, twice', async () => {
    const { service, site } = await alerting([job({ run: failing })]);
    site.answers = [0];
    await service.wake('00:01:00');
    await site.count(1);
    const before = service.clock.monotonic();
    await while_(service, 100, site.count(2));
    const again = service.clock.monotonic() - before;
    await while_(service, 100, service.deps.observer!.settled(600_000));

    expect(again).toBeGreaterThanOrEqual(12_000);
    expect(again).toBeLessThan(14_000);
    expect(service.clock.monotonic() - before).toBeLessThan(26_000);
    expect(logged(service.logged)[0]).toContain('it did not answer within 10 s');
  });

  test('is asked at a name only where that leads to no private network', async () => {
    const env = {
      PUNCTUAL_ALERT_URL: 'https://localhost:1/hook',
      PUNCTUAL_ALERT_PRIVATE: 'no',
    };
    const { service, told } = await alerting([job({ run: failing })], { env });
    await service.wake('00:01:00');
    await told();

    expect(logged(service.logged)[0]).toMatch(
      /"localhost\\" leads to \S+, this machine itself, and is not asked: PUNCTUAL_ALERT_PRIVATE=yes would allow it/,
    );
  });
});
