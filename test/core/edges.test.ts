import { describe, expect, test } from 'vitest';
import { at, PureJob } from './pure-job.ts';

/** Cases that a reading of the rules found, each named by the fear. */

const fives = { schedule: '*/5 * * * *', onLost: 'retry' } as const;
const minutely = { schedule: '* * * * *' };

/** Signs of life of one attempt, once a minute. */
function renew(job: PureJob, attemptId: string, from: string, to: string): void {
  for (let now = at(from); now <= at(to); now += 60_000) {
    job.send({ kind: 'renew', attemptId, note: null }, now);
  }
}

describe('what had overlapped and what nobody saw', () => {
  test('a dead run beside does not make an outage of the time when the slot was held', () => {
    const job = new PureJob(fives, at('00:05:30'));
    const attempt = job.wake(at('00:10')) ?? '';
    job.manual('beside', at('00:10:10'), true);
    renew(job, attempt, '00:11', '00:30');

    job.wake(at('00:30:30'), false);
    job.finish(attempt, at('00:30:40'), 'succeeded', false);
    job.wakeAndRun(at('00:30:50'));

    expect(job.history().filter((line) => line.includes('missed'))).toEqual([]);
    expect(job.history()).toContain('00:15–00:30 skipped: overlap (4)');
  });

  test('cancelling a run that waits for its retry frees its slot as of now', () => {
    const retry = { attempts: 2, backoff: { from: '40m', to: '40m' } } as const;
    const job = new PureJob({ schedule: '*/5 * * * *', retry }, at('00:01'));
    job.finish(job.wake(at('00:05')) ?? '', at('00:05:10'), 'failed');

    job.send({ kind: 'cancel', runId: 'job@20260302T000500Z', by: null }, at('00:31'));

    expect(job.history()).toEqual(['00:05 cancelled', '00:10–00:30 skipped: overlap (5)']);
  });

  test('a request after an outage judges the outage as a wake-up would', () => {
    const byWake = new PureJob({ ...fives, overlap: 'queue' }, at('00:05:30'));
    byWake.wake(at('00:10'));
    byWake.wake(at('00:51'));
    const byHand = new PureJob({ ...fives, overlap: 'queue' }, at('00:05:30'));
    byHand.wake(at('00:10'));
    byHand.manual('x', at('00:51'));

    const missed = (job: PureJob) => job.history().filter((line) => line.includes('missed'));

    expect(missed(byWake)).not.toEqual([]);
    expect(missed(byHand)).toEqual(missed(byWake));
  });

  test('of several dead runs, the slot was free from the first death on', () => {
    const job = new PureJob({ ...minutely, overlap: { allow: 2 } }, at('00:01:30'));
    const first = job.wake(at('00:02')) ?? '';
    const second = job.wake(at('00:03')) ?? '';
    renew(job, first, '00:03', '00:30');
    expect(job.record?.active[second]).toBeDefined();

    job.wake(at('00:40:10'));

    const [range] = job.history().filter((line) => line.includes('missed: outage'));
    expect(range).toMatch(/^00:05–/);
  });

  test('a finish finds out first who else has died', () => {
    const job = new PureJob({ ...minutely, overlap: { allow: 2 } }, at('00:00:30'));
    job.wake(at('00:01'));
    const alive = job.wake(at('00:02')) ?? '';

    job.finish(alive, at('00:30:30'));

    const missed = job.history().filter((line) => line.includes('missed: outage'));
    expect(missed).toHaveLength(1);
    expect(missed[0]).toMatch(/^00:03–/);
  });

  test('more slots under a busy job do not make an outage of the time it was full', () => {
    const all = { runs: 'all', within: '9h' } as const;
    const job = new PureJob({ schedule: '0 * * * *', catchUp: all }, at('00:30'));
    const attempt = job.wake(at('01:00')) ?? '';
    renew(job, attempt, '01:01', '06:29');

    job.define({ schedule: '0 * * * *', catchUp: all, overlap: { allow: 2 } }, at('06:30'));
    job.wakeAndRun(at('06:30:10'));

    expect(job.history()).toEqual(['01:00 running', '02:00–06:00 skipped: overlap (5)']);
  });

  test('what overlapped a lost run names that run', () => {
    const job = new PureJob({ ...minutely, onLost: 'retry' }, at('00:00'));
    job.finish(job.wake(at('00:01')) ?? '', at('00:01:05'));
    job.wake(at('00:02'));

    job.wake(at('00:20:10'));

    const range = [...job.runs.values()].find(({ reason }) => reason === 'overlap');
    expect(range?.cause).toBe('job@20260302T000200Z');
  });
});

describe('a backfill', () => {
  test('does not starve the schedule', () => {
    const job = new PureJob({ ...minutely, catchUp: { runs: 'none' } }, at('00:00'));
    job.wakeAndRun(at('01:00'));
    const before = job.history().length;
    const span = { from: at('00:10'), to: at('00:19') };
    job.send({ kind: 'backfill', id: 'b', by: null, ...span }, at('01:00:30'), false);

    job.wakeAndRun(at('01:01'), 150_000);

    const started = job
      .history()
      .slice(before)
      .filter((line) => line.endsWith('succeeded'));
    const scheduled = [...job.runs.values()].filter(
      ({ trigger, state, at: when }) =>
        trigger === 'schedule' && state === 'succeeded' && when > at('01:00'),
    );
    expect(started.length).toBeGreaterThan(9);
    expect(scheduled.length).toBeGreaterThanOrEqual(8);
  });
});

describe('a pause whose end nobody noticed', () => {
  test('has ended when a person pauses anew', () => {
    const job = new PureJob({ schedule: '0 * * * *' }, at('00:30'));
    const pause = { kind: 'pause', by: null, note: null } as const;
    job.send({ ...pause, until: at('01:30') }, at('00:40'));

    job.send({ ...pause, until: null }, at('05:10'));
    job.send({ kind: 'resume', by: null }, at('05:20'));
    job.wakeAndRun(at('05:30'));

    expect(job.history()).toEqual([
      '01:00 skipped: paused',
      '02:00–04:00 missed: outage (3)',
      '05:00 succeeded',
    ]);
  });

  test('has ended when the job comes back to the code', () => {
    const job = new PureJob({ schedule: '0 * * * *' }, at('00:30'));
    const until = at('01:30');
    job.send({ kind: 'pause', by: null, note: null, until }, at('00:40'));
    job.send({ kind: 'retire' }, at('00:50'));

    job.define({ schedule: '0 * * * *' }, at('04:30'));

    expect(job.history()).toEqual(['01:00 skipped: paused', '02:00–04:00 missed: outage (3)']);
  });
});

describe('a job that left the code', () => {
  test.each(['failed', 'interrupted'] as const)('is not tried again when it %s', (outcome) => {
    const job = new PureJob({ ...minutely, retry: { attempts: 3 }, onLost: 'retry' }, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';
    job.send({ kind: 'retire' }, at('00:01:10'));

    job.finish(attempt, at('00:01:20'), outcome, false);

    expect(job.record?.retries).toEqual([]);
    expect(job.record?.nextActionAt).toBeNull();
  });
});

describe('a trigger that changes nothing', () => {
  test('writes nothing, although the stamp of the lease came a moment after its decision', () => {
    const job = new PureJob(minutely, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';
    const { record } = job;
    const lease = record?.active[attempt];
    if (record === undefined || lease === undefined) throw new Error('no lease');
    // A real store stamps a few milliseconds after the time that was read.
    const active = { [attempt]: { ...lease, renewedAt: lease.renewedAt + 3 } };
    job.record = { ...record, active };

    expect(job.send({ kind: 'wake' }, at('00:01:01'))).toEqual({ kind: 'nothing' });
  });

  test('writes nothing before its time, however late the stamp of the lease came', () => {
    const job = new PureJob(minutely, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';
    const { record } = job;
    const lease = record?.active[attempt];
    if (record === undefined || lease === undefined) throw new Error('no lease');
    // A commit that was long on its way: the lease ends later than was reckoned before it left.
    const active = { [attempt]: { ...lease, renewedAt: lease.renewedAt + 4500 } };
    job.record = { ...record, active };

    const before = job.send({ kind: 'wake' }, at('00:02:35'));
    const after = job.send({ kind: 'wake' }, at('00:02:35') + 1);

    expect(before).toEqual({ kind: 'nothing' });
    expect(after.kind).toBe('write');
    expect(job.record.nextActionAt).toBe(at('00:02:39.501'));
  });

  test('while the clock can not be trusted, a run beside is refused', () => {
    const job = new PureJob(minutely, at('00:00'));
    job.unsteady = 'the clock jumped';

    expect(job.manual('x', at('00:01'), true)).toMatchObject({ kind: 'refused', why: 'unsteady' });
  });
});

describe('a definition that takes slots away', () => {
  const retry = { attempts: 2, backoff: { from: '10s', to: '10s', jitter: 0 } } as const;

  /** One run works, and one waits for its retry of 00:02:15, where there is only one slot left. */
  function oneTooMany() {
    const job = new PureJob({ ...minutely, retry, overlap: { allow: 2 } }, at('00:00'));
    const working = job.wake(at('00:01')) ?? '';
    job.finish(job.wake(at('00:02')) ?? '', at('00:02:05'), 'failed', false);
    job.define({ ...minutely, retry, overlap: 'skip' }, at('00:02:10'));
    return { job, working };
  }

  test('lets a retry wait until a slot is left for it', () => {
    const { job, working } = oneTooMany();

    const early = job.wake(at('00:02:15'));
    const next = job.finish(working, at('00:02:20'));

    expect([early, typeof next]).toEqual([undefined, 'string']);
    expect(job.history().slice(0, 2)).toEqual(['00:01 succeeded', '00:02 running']);
  });

  test('has nobody woken for a retry that can not start', () => {
    const { job, working } = oneTooMany();
    const endOfLease = (job.record?.active[working]?.renewedAt ?? 0) + 95_001;

    expect(job.record?.nextActionAt).toBe(endOfLease);
    expect(job.send({ kind: 'wake' }, at('00:02:15'))).toEqual({ kind: 'nothing' });
  });

  test('keeps no retry waiting that takes no slot', () => {
    const job = new PureJob({ ...minutely, retry }, at('00:00'));
    job.wake(at('00:01'));
    job.manual('x', at('00:01:05'), true);
    const [beside = ''] = Object.entries(job.record?.active ?? {}).flatMap(([id, lease]) =>
      lease.beside ? [id] : [],
    );

    job.finish(beside, at('00:01:10'), 'failed', false);

    expect(job.record?.nextActionAt).toBe(at('00:01:20'));
    expect(job.wake(at('00:01:20'))).toBeTypeOf('string');
  });
});
