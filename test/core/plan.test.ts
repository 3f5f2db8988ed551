import { describe, expect, test } from 'vitest';
import { at, PureJob } from './pure-job.ts';

const hourly = { schedule: '0 * * * *' };
const minutely = { schedule: '* * * * *' };

describe('what is due', () => {
  test('an occurrence starts once, however often its trigger comes', () => {
    const job = new PureJob(hourly, at('00:30'));

    const first = job.wake(at('01:00'));
    const again = job.wake(at('01:00:00.500'));

    expect([first === undefined, again]).toEqual([false, undefined]);
    expect(job.history()).toEqual(['01:00 running']);
  });

  test('a wake-up before the occurrence writes nothing', () => {
    const job = new PureJob(hourly, at('00:30'));

    const stepped = job.send({ kind: 'wake' }, at('00:59:59.999'));

    expect(stepped).toEqual({ kind: 'nothing' });
  });

  test('a duplicate wake-up while the run is under way writes nothing', () => {
    const job = new PureJob(hourly, at('00:30'));
    const attemptId = job.wake(at('01:00')) ?? '';
    expect(job.send({ kind: 'wake' }, at('01:01'))).toEqual({ kind: 'nothing' });
    job.send({ kind: 'renew', attemptId, note: null }, at('01:59'));

    expect(job.send({ kind: 'wake' }, at('02:00:30'))).toEqual({ kind: 'nothing' });
  });

  test('nothing before its registration is ever due', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'all', within: '30d' } }, at('05:30'));

    job.wakeAndRun(at('06:00'));

    expect(job.history()).toEqual(['06:00 succeeded']);
  });

  test('a process that can not run the job decides nothing', () => {
    const job = new PureJob(hourly, at('00:30'));

    expect(job.send({ kind: 'wake' }, at('01:00'), false)).toEqual({ kind: 'nothing' });
  });

  test('while the clock can not be trusted nothing starts, and nothing is called lost', () => {
    const job = new PureJob(hourly, at('00:30'));
    job.wake(at('01:00'));
    job.unsteady = 'the clock was set back';

    expect(job.send({ kind: 'wake' }, at('09:00'))).toEqual({ kind: 'nothing' });
  });
});

describe('catch-up', () => {
  test('after an outage only the latest occurrence starts, and the others are on record', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'latest', within: '3h' } }, at('00:00'));
    job.wakeAndRun(at('01:00'));

    job.wakeAndRun(at('05:00'));

    expect(job.history()).toEqual([
      '01:00 succeeded',
      '02:00–04:00 missed: outage (3)',
      '05:00 succeeded',
    ]);
  });

  test('the latest late occurrence starts where none is on time', () => {
    const job = new PureJob(hourly, at('00:00'));

    job.wakeAndRun(at('05:40'));

    expect(job.history()).toEqual(['01:00–04:00 missed: outage (4)', '05:00 succeeded']);
  });

  test('an occurrence older than the window is missed', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'latest', within: '30m' } }, at('00:00'));

    job.wakeAndRun(at('05:40'));

    expect(job.history()).toEqual(['01:00–05:00 missed: outage (5)']);
  });

  test('none starts nothing that is late', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'none' } }, at('00:00'));

    job.wakeAndRun(at('03:05'));

    expect(job.history()).toEqual(['01:00–03:00 missed: outage (3)']);
  });

  test('our own delay is not lateness: two ticks and a cold start still count as on time', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'none' } }, at('00:30'));

    job.wakeAndRun(at('01:02:29'));

    expect(job.history()).toEqual(['01:00 succeeded']);
  });

  test('all starts each within the window, oldest first, up to its bound', () => {
    const all = { runs: 'all', within: '5h', max: 3 } as const;
    const job = new PureJob({ ...hourly, catchUp: all }, at('00:00'));

    job.wakeAndRun(at('08:30'));

    expect(job.history()).toEqual([
      '01:00–05:00 missed: outage (5)',
      '06:00 succeeded',
      '07:00 succeeded',
      '08:00 succeeded',
    ]);
  });

  test('a catch-up goes on where it was, however long each of its runs takes', () => {
    const all = { runs: 'all', within: '3h' } as const;
    const job = new PureJob({ ...hourly, catchUp: all }, at('00:00'));

    job.wakeAndRun(at('03:30'), 45 * 60_000);

    expect(job.history()).toEqual([
      '01:00 succeeded',
      '02:00 succeeded',
      '03:00 succeeded',
      '04:00–05:00 skipped: overlap (2)',
    ]);
  });

  test('an occurrence that somebody was there to see but had no room for is late, not an outage', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'none' } }, at('00:30'));
    job.upSince = at('00:40');

    job.wakeAndRun(at('01:10'));

    expect(job.history()).toEqual(['01:00 missed: late']);
  });

  test('an outage of two years is one range, counted up to a limit', () => {
    const job = new PureJob(minutely, at('2024-03-02T00:00'));

    job.wakeAndRun(at('00:00:10'));

    const lines = job.history();
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/missed: too-many \(≥10000\)/);
    expect(lines[1]).toMatch(/missed: outage \(9997\)/);
  });
});

describe('overlap', () => {
  test('under skip, what fell due while a run was unfinished is skipped, and named by its end', () => {
    const job = new PureJob(minutely, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';

    job.finish(attempt, at('00:04:10'));

    expect(job.history()).toEqual(['00:01 succeeded', '00:02–00:04 skipped: overlap (3)']);
    const [, range] = [...job.runs.values()];
    expect(range?.cause).toBe('job@20260302T000100Z');
  });

  test('under queue, the latest starts when the slot is free; the others are superseded', () => {
    const job = new PureJob({ ...minutely, overlap: 'queue' }, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';

    const next = job.finish(attempt, at('00:04:10'));

    expect(next).toBeTypeOf('string');
    expect(job.history()).toEqual([
      '00:01 succeeded',
      '00:02–00:03 skipped: superseded (2)',
      '00:04 running',
    ]);
  });

  test('under replace, the running run is asked to stop, and the new one starts when it has', () => {
    const job = new PureJob({ ...minutely, overlap: 'replace' }, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';

    job.wake(at('00:02'));
    const marked = job.record?.active[attempt]?.cancel?.why;
    job.finish(attempt, at('00:02:05'), 'cancelled');

    expect(marked).toBe('replaced');
    expect(job.history()).toEqual(['00:01 cancelled', '00:02 running']);
  });

  test('under replace, a run that succeeds although asked to stop has succeeded', () => {
    const job = new PureJob({ ...minutely, overlap: 'replace' }, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';
    job.wake(at('00:02'));

    job.finish(attempt, at('00:02:05'), 'succeeded');

    expect(job.history()).toEqual(['00:01 succeeded', '00:02 running']);
  });

  test('under replace, a run between attempts is cancelled at once', () => {
    const retry = { attempts: 2, backoff: { from: '5m' } } as const;
    const job = new PureJob({ ...minutely, overlap: 'replace', retry }, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';
    job.finish(attempt, at('00:01:05'), 'failed');

    job.wake(at('00:02'));

    expect(job.history()).toEqual(['00:01 cancelled', '00:02 running']);
  });

  test('under allow, as many run at once as it says, and the next is skipped', () => {
    const job = new PureJob({ ...minutely, overlap: { allow: 2 } }, at('00:00'));
    const first = job.wake(at('00:01')) ?? '';
    job.wake(at('00:02'));
    job.send({ kind: 'renew', attemptId: first, note: null }, at('00:02:30'));

    job.wake(at('00:03'));
    job.finish(first, at('00:03:30'));

    expect(job.history()).toEqual(['00:01 succeeded', '00:02 running', '00:03 skipped: overlap']);
  });

  test('a run between attempts holds its slot', () => {
    const retry = { attempts: 2, backoff: { from: '10m', to: '10m' } } as const;
    const job = new PureJob({ ...minutely, retry }, at('00:00'));
    job.finish(job.wake(at('00:01')) ?? '', at('00:01:05'), 'failed');

    expect(job.wake(at('00:05'))).toBeUndefined();
    const again = job.wake(at('00:12')) ?? '';
    job.finish(again, at('00:12:01'));

    expect(job.history()).toEqual(['00:01 succeeded', '00:02–00:12 skipped: overlap (11)']);
  });
});

describe('attempts', () => {
  const retry = { attempts: 3, backoff: { from: '10s', factor: 2, to: '15s', jitter: 0 } } as const;

  test('a failure is tried again after the backoff, as often as the policy says', () => {
    const job = new PureJob({ ...hourly, retry }, at('00:30'));
    const waits: (number | null | undefined)[] = [];
    for (let attempt = job.wake(at('01:00')); attempt !== undefined;) {
      const now = (job.record?.active[attempt]?.startedAt ?? 0) + 1000;
      job.finish(attempt, now, 'failed');
      const due = job.record?.retries[0]?.notBefore;
      waits.push(due === undefined ? undefined : due - now);
      attempt = due === undefined ? undefined : job.wake(due);
    }

    expect(waits).toEqual([10_000, 15_000, undefined]);
    const [run] = [...job.runs.values()];
    expect(run?.state).toBe('failed');
    expect(run?.attempts.map(({ n, outcome }) => [n, outcome])).toEqual([
      [1, 'failed'],
      [2, 'failed'],
      [3, 'failed'],
    ]);
  });

  test('fencing tokens grow with each attempt', () => {
    const job = new PureJob({ ...minutely, retry }, at('00:00'));
    job.finish(job.wake(at('00:01')) ?? '', at('00:01:01'), 'failed');
    job.wake(at('00:01:30'));

    const [run] = [...job.runs.values()];
    const [first, second] = run?.attempts ?? [];
    expect(second?.fence).toBeGreaterThan(first?.fence ?? Infinity);
  });

  test('an interrupted attempt does not use up a try', () => {
    const job = new PureJob({ ...hourly, retry: { attempts: 2 } }, at('00:30'));
    let now = at('01:00');
    for (let drain = 0; drain < 5; drain++) {
      job.finish(job.wake(now) ?? '', now + 1000, 'interrupted', false);
      now += 2000;
    }
    job.finish(job.wake(now) ?? '', now + 1000, 'failed');

    const [run] = [...job.runs.values()];
    expect(run?.state).toBe('retry_wait');
    expect(run?.attempts).toHaveLength(6);
  });

  test('the twenty-first drain counts like an error', () => {
    const job = new PureJob({ ...hourly, onLost: 'retry' }, at('00:30'));
    let now = at('01:00');
    for (let drain = 0; drain < 22; drain++) {
      job.finish(job.wake(now) ?? '', now + 1000, 'interrupted', false);
      now += 2000;
    }

    const [run] = [...job.runs.values()];
    expect(run?.state).toBe('failed');
    expect(run?.attempts).toHaveLength(22);
  });

  test('a job with no retries is lost when its process is drained', () => {
    const job = new PureJob(hourly, at('00:30'));

    job.finish(job.wake(at('01:00')) ?? '', at('01:00:05'), 'interrupted', false);

    expect(job.history()).toEqual(['01:00 lost']);
  });
});
