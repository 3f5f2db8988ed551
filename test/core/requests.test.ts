import { describe, expect, test } from 'vitest';
import { at, PureJob } from './pure-job.ts';

const hourly = { schedule: '0 * * * *' };

describe('a run by hand', () => {
  test('starts at once when nothing is in its way', () => {
    const job = new PureJob({}, at('00:00'));

    job.manual('a', at('00:10'));

    expect(job.history()).toEqual(['00:10 running']);
  });

  test('is refused under skip while another run is unfinished, naming that run', () => {
    const job = new PureJob({}, at('00:00'));
    job.manual('a', at('00:10'));

    expect(job.manual('b', at('00:10:30'))).toEqual({
      kind: 'refused',
      why: 'busy',
      runId: 'job!a',
    });
  });

  test('is not refused on account of a run whose process has died', () => {
    const job = new PureJob({}, at('00:00'));
    job.manual('a', at('00:10'));

    job.manual('b', at('00:20'));

    expect(job.history()).toEqual(['00:10 lost', '00:20 running']);
  });

  test('waits its turn under queue, and starts when the slot is free', () => {
    const job = new PureJob({ overlap: 'queue' }, at('00:00'));
    job.manual('a', at('00:10'));
    job.manual('b', at('00:10:10'));
    const [attempt] = Object.keys(job.record?.active ?? {});

    job.finish(attempt ?? '', at('00:10:20'));

    expect(job.history()).toEqual(['00:10 succeeded', '00:10 running']);
  });

  test('beyond 32 that wait, the next is refused', () => {
    const job = new PureJob({ overlap: 'queue' }, at('00:00'));
    for (let n = 0; n <= 32; n++) job.manual(`r${n}`, at('00:10'));

    expect(job.manual('more', at('00:10'))).toMatchObject({ kind: 'refused', why: 'queue-full' });
  });

  test('under replace asks the running run to stop, whatever started it', () => {
    const job = new PureJob({ ...hourly, overlap: 'replace' }, at('00:30'));
    const attempt = job.wake(at('01:00')) ?? '';

    job.manual('a', at('01:00:30'));
    job.finish(attempt, at('01:00:31'), 'cancelled');

    expect(job.history()).toEqual(['01:00 cancelled', '01:00 running']);
  });

  test('told to run beside, takes no slot', () => {
    const job = new PureJob(hourly, at('00:30'));
    job.wake(at('01:00'));

    job.manual('a', at('01:00:30'), true);

    expect(job.history()).toEqual(['01:00 running', '01:00 running']);
    expect(job.manual('b', at('01:01'))).toMatchObject({ kind: 'refused', why: 'busy' });
  });

  test('does not move the watermark', () => {
    const job = new PureJob(hourly, at('00:30'));

    job.manual('a', at('00:59:59'));

    expect(job.record?.watermark).toBe(at('00:30'));
  });

  test('the longest wait goes first: an occurrence before a later request', () => {
    const job = new PureJob({ ...hourly, overlap: 'queue' }, at('00:30'));

    job.manual('a', at('01:01'));

    expect(job.history()).toEqual(['01:00 running', '01:01 queued']);
  });
});

describe('cancel', () => {
  test('marks a running run, and its end is cancelled even if it failed with tries left', () => {
    const job = new PureJob({ ...hourly, retry: { attempts: 3 } }, at('00:30'));
    const attempt = job.wake(at('01:00')) ?? '';
    job.send({ kind: 'cancel', runId: 'job@20260302T010000Z', by: 'ann' }, at('01:00:10'));

    job.finish(attempt, at('01:00:12'), 'failed');

    expect(job.history()).toEqual(['01:00 cancelled']);
    expect(job.actions).toContain('cancel');
  });

  test('ends a waiting run at once', () => {
    const job = new PureJob({ overlap: 'queue' }, at('00:00'));
    job.manual('a', at('00:10'));
    job.manual('b', at('00:10:10'));

    job.send({ kind: 'cancel', runId: 'job!b', by: null }, at('00:10:20'));

    expect(job.history()).toEqual(['00:10 running', '00:10 cancelled']);
  });

  test('of a run that is over is refused', () => {
    const job = new PureJob(hourly, at('00:30'));
    job.wakeAndRun(at('01:00'));

    const stepped = job.send(
      { kind: 'cancel', runId: 'job@20260302T010000Z', by: null },
      at('01:01'),
    );

    expect(stepped).toMatchObject({ kind: 'refused', why: 'not-unfinished' });
  });

  test('an operator can free the slot of a run that does not stop', () => {
    const job = new PureJob({ ...hourly, overlap: 'queue' }, at('00:30'));
    job.wake(at('01:00'));

    job.send({ kind: 'free', runId: 'job@20260302T010000Z', by: 'ann' }, at('01:00:10'), false);

    expect(job.history()).toEqual(['01:00 cancelled']);
    expect(job.record?.active).toEqual({});
    expect(job.actions).toContain('free');
  });
});

describe('pause', () => {
  const pause = (job: PureJob, from: string, until: string | null): void => {
    const end = until === null ? null : at(until);
    job.send({ kind: 'pause', by: 'ann', note: 'away', until: end }, at(from));
  };

  test('starts nothing new, and what fell due inside is skipped, never missed', () => {
    const job = new PureJob(hourly, at('00:30'));
    pause(job, '00:40', null);
    job.wakeAndRun(at('03:10'));
    job.send({ kind: 'resume', by: 'ann' }, at('05:30'));

    job.wakeAndRun(at('06:00'));

    expect(job.history()).toEqual(['01:00–05:00 skipped: paused (5)', '06:00 succeeded']);
  });

  test('ends by itself at its end, however late that is noticed', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'all', within: '5h' } }, at('00:30'));
    pause(job, '00:40', '03:30');

    job.wakeAndRun(at('05:10'));

    expect(job.history()).toEqual([
      '01:00–03:00 skipped: paused (3)',
      '04:00 succeeded',
      '05:00 succeeded',
    ]);
  });

  test('wakes the job at its end, and at nothing before', () => {
    const job = new PureJob(hourly, at('00:30'));

    pause(job, '00:40', '03:30');

    expect(job.record?.nextActionAt).toBe(at('03:30'));
  });

  test('lets runs that are under way, and requests, go on', () => {
    const job = new PureJob({ ...hourly, overlap: 'queue' }, at('00:30'));
    const attempt = job.wake(at('01:00')) ?? '';
    pause(job, '01:00:10', null);
    job.manual('a', at('01:00:20'));

    job.finish(attempt, at('01:00:30'));

    expect(job.history()).toEqual(['01:00 succeeded', '01:00 running']);
  });

  test('time inside it does not make an occurrence late', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'none' } }, at('00:30'));
    // Due at 01:00, not yet decided when the pause began a second later.
    pause(job, '01:00:01', null);
    job.send({ kind: 'resume', by: null }, at('01:50'));

    job.wakeAndRun(at('01:50:10'));

    expect(job.history()).toEqual(['01:00 succeeded']);
  });

  // Found by the simulation once in 400,000 lives: the span ran backwards, and a count was wrong.
  test('a pause with an end that had passed already ends where it began', () => {
    const job = new PureJob({ schedule: '0 * * * *' }, at('00:30'));
    job.send({ kind: 'pause', by: null, note: null, until: at('00:40') }, at('02:30'));

    job.wake(at('02:31'), false);

    expect(job.record?.pauses.filter(({ from, to }) => to < from)).toEqual([]);
    expect(job.record?.pauses).toEqual([{ from: at('02:30'), to: at('02:30') }]);
  });

  test('a pause of weeks on a busy schedule is one range, and none of it is missed', () => {
    const job = new PureJob({ schedule: '* * * * *' }, at('2026-01-01T00:00'));
    job.send({ kind: 'pause', by: null, note: null, until: null }, at('2026-01-01T00:00:30'));
    job.send({ kind: 'resume', by: null }, at('00:00:30'));

    job.wakeAndRun(at('00:01'));

    const [first, ...rest] = job.history();
    expect(first).toMatch(/skipped: paused \(≥10000\)/);
    expect(rest).toEqual(['00:01 succeeded']);
  });

  test('pausing again changes note and end only, and pausing the same way writes nothing', () => {
    const job = new PureJob(hourly, at('00:30'));
    pause(job, '00:40', null);
    const same = { kind: 'pause', by: 'bob', note: 'away', until: null } as const;

    expect(job.send(same, at('00:45'))).toEqual({ kind: 'nothing' });
    job.send({ ...same, until: at('02:00') }, at('00:50'));

    expect(job.record?.paused).toMatchObject({ at: at('00:40'), until: at('02:00') });
  });
});

describe('backfill', () => {
  test('runs each occurrence of its range once, one after another, beside the first record', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'none' } }, at('00:00'));
    job.wakeAndRun(at('03:30'));

    const span = { from: at('00:30'), to: at('02:30') };
    job.send({ kind: 'backfill', id: 'b1', by: 'ann', ...span }, at('03:31'), false);
    job.wakeAndRun(at('03:32'));

    expect(job.history()).toEqual([
      '01:00–03:00 missed: outage (3)',
      '03:32 succeeded',
      '03:32 succeeded',
    ]);
    const backfilled = [...job.runs.values()].filter((run) => run.trigger === 'backfill');
    expect(backfilled.map((run) => run.scheduledAt)).toEqual([at('01:00'), at('02:00')]);
    expect(job.record?.backfill).toBeNull();
  });

  test('that is ended opens no more runs, and the one under way goes on', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'none' } }, at('00:00'));
    job.wakeAndRun(at('03:30'));
    const span = { from: at('00:30'), to: at('02:30') };
    job.send({ kind: 'backfill', id: 'b1', by: 'ann', ...span }, at('03:31'));
    const [attempt] = Object.keys(job.record?.active ?? {});

    job.send({ kind: 'end-backfill', id: 'another', by: 'ben' }, at('03:31:10'));
    const stays = job.record?.backfill?.id;
    job.send({ kind: 'end-backfill', id: 'b1', by: 'ben' }, at('03:31:20'));
    job.finish(attempt ?? '', at('03:31:30'));
    job.wakeAndRun(at('03:32'));

    expect(stays).toBe('b1');
    expect(job.record?.backfill).toBeNull();
    expect(job.history()).toEqual(['01:00–03:00 missed: outage (3)', '03:31 succeeded']);
    expect(job.actions.filter((action) => action === 'end-backfill')).toHaveLength(1);
  });

  test('an occurrence that fell due while it held the slot still runs', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'none' } }, at('00:00'));
    job.wakeAndRun(at('03:30'));
    const span = { from: at('00:30'), to: at('01:30') };
    job.send({ kind: 'backfill', id: 'b1', by: null, ...span }, at('03:59:30'));
    const [attempt] = Object.keys(job.record?.active ?? {});

    job.finish(attempt ?? '', at('04:00:30'));

    expect(job.history().at(-1)).toBe('04:00 running');
  });

  test('of a range without a past occurrence is refused', () => {
    const job = new PureJob(hourly, at('00:00'));

    const span = { from: at('00:10'), to: at('00:20') };
    const stepped = job.send({ kind: 'backfill', id: 'b', by: null, ...span }, at('00:30'));

    expect(stepped).toMatchObject({ kind: 'refused', why: 'nothing-to-backfill' });
  });
});

describe('a changed definition', () => {
  test('what fell due before is decided under the old schedule, and the new names nothing past', () => {
    const job = new PureJob(hourly, at('01:30'));
    job.define({ schedule: '*/10 * * * *' }, at('02:00:01'));

    job.wakeAndRun(at('02:00:02'));
    job.wakeAndRun(at('02:10'));

    expect(job.history()).toEqual(['02:00 succeeded', '02:10 succeeded']);
    expect(job.record?.schedules).toHaveLength(1);
  });

  test('the same definition again writes nothing', () => {
    const job = new PureJob(hourly, at('00:30'));

    expect(job.define(hourly, at('00:40'))).toEqual({ kind: 'nothing' });
  });

  test('a job that left the code starts nothing, and its waiting runs end', () => {
    const job = new PureJob({ ...hourly, overlap: 'queue' }, at('00:30'));
    job.wake(at('01:00'));
    job.manual('a', at('01:00:10'));
    job.send({ kind: 'retire' }, at('01:00:20'));

    job.wakeAndRun(at('02:00'));

    expect(job.history()).toEqual(['01:00 lost', '01:00 cancelled']);
    expect(job.record?.nextActionAt).toBeNull();
  });

  test('a job that comes back starts from then on: what fell due meanwhile is one range', () => {
    const job = new PureJob({ ...hourly, catchUp: { runs: 'all', within: '9h' } }, at('00:30'));
    job.send({ kind: 'retire' }, at('00:40'));

    job.define({ ...hourly, catchUp: { runs: 'all', within: '9h' } }, at('04:30'));
    job.wakeAndRun(at('05:00'));

    expect(job.history()).toEqual(['01:00–04:00 missed: outage (4)', '05:00 succeeded']);
  });
});
