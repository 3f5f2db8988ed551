import { rewind } from '../../server/core/rewind.ts';
import { describe, expect, test } from 'vitest';
import { BACKFILLS_KEPT } from '../../server/core/backfills.ts';
import { checkJobRecord } from '../../server/core/check-record.ts';
import { jobRecord } from '../builders.ts';
import { at, PureJob } from './pure-job.ts';

/** A record tells of its last backfills, so that a request that comes again finds its own. */

const hourly = { schedule: '0 * * * *', catchUp: { runs: 'none' } } as const;
const span = { from: at('00:30'), to: at('02:30') };
const ask = (job: PureJob, id: string, now: string, more = {}) =>
  job.send({ kind: 'backfill', id, by: 'ann', ...span, ...more }, at(now), false);

function afterOutage(): PureJob {
  const job = new PureJob(hourly, at('00:00'));
  job.wakeAndRun(at('03:30'));
  return job;
}

describe('a backfill of the same id', () => {
  test('and the same time is the one that there is, under way and over', () => {
    const job = afterOutage();
    ask(job, 'b1', '03:31');

    const during = ask(job, 'b1', '03:31:10');
    job.wakeAndRun(at('03:32'));
    const after = ask(job, 'b1', '03:33');

    expect([during, after]).toEqual([{ kind: 'nothing' }, { kind: 'nothing' }]);
    expect(job.actions.filter((action) => action === 'backfill')).toHaveLength(1);
  });

  test('and another time is refused, under way and over', () => {
    const job = afterOutage();
    ask(job, 'b1', '03:31');

    const during = ask(job, 'b1', '03:31:10', { to: at('01:30') });
    job.wakeAndRun(at('03:32'));
    const after = ask(job, 'b1', '03:33', { from: at('00:10') });

    expect([during, after]).toMatchObject([{ why: 'other-backfill' }, { why: 'other-backfill' }]);
  });
});

describe('a backfill that is over', () => {
  test('stays on record with how far it came, who asked for it, and when it ended', () => {
    const job = afterOutage();
    ask(job, 'b1', '03:31');
    job.wakeAndRun(at('03:32'));

    expect(job.record?.backfills).toMatchObject([
      { id: 'b1', ...span, cursor: span.to, by: 'ann', askedAt: at('03:31') },
    ]);
    expect(job.record?.backfills?.[0]?.endedAt).toBeGreaterThanOrEqual(at('03:32'));
  });

  test('since somebody ended it, or the job left the code, had come so far', () => {
    const job = afterOutage();
    ask(job, 'b1', '03:31');
    const attempt = job.wake(at('03:32')) ?? '';
    job.send({ kind: 'end-backfill', id: 'b1', by: 'ben' }, at('03:32:10'));
    job.finish(attempt, at('03:32:20'));
    ask(job, 'b2', '03:33');
    job.send({ kind: 'retire' }, at('03:34'));

    const kept = job.record?.backfills?.map(({ id, cursor, endedAt }) => ({ id, cursor, endedAt }));

    expect(kept).toEqual([
      { id: 'b1', cursor: at('01:00'), endedAt: at('03:32:10') },
      { id: 'b2', cursor: span.from, endedAt: at('03:34') },
    ]);
    expect(job.record?.backfill).toBeNull();
  });

  test('is forgotten when twenty others came after it', () => {
    const job = afterOutage();
    for (let n = 0; n <= BACKFILLS_KEPT; n += 1) {
      ask(job, `b${n}`, '03:31');
      job.send({ kind: 'end-backfill', id: `b${n}`, by: null }, at('03:31'));
    }

    const ids = job.record?.backfills?.map(({ id }) => id);

    expect(ids).toEqual(Array.from({ length: BACKFILLS_KEPT }, (_, n) => `b${n + 1}`));
  });

  test('of the future is brought back to now with a clock that is reset', () => {
    const job = afterOutage();
    ask(job, 'b1', '03:31');
    job.wakeAndRun(at('03:32'));

    const now = at('02:00');
    const rewound = rewind(job.record!, { now, by: null, undone: [], aheadTo: null, id: 'a' });

    expect(rewound?.record.backfills?.[0]?.endedAt).toBe(now);
  });
});

describe('a record', () => {
  const past = { id: 'b', ...span, cursor: span.to, since: span.to, by: null, endedAt: span.to };

  test('without backfills, as older builds wrote it, is one', () => {
    const { backfills: _none, ...old } = jobRecord({ backfills: [] });

    expect(checkJobRecord(old)).toHaveProperty('record');
  });

  test.each([
    [{ ...past, endedAt: null }, /backfills\.0\.endedAt is null/],
    [{ ...past, askedAt: 'once' }, /backfills\.0\.askedAt is "once"/],
  ])('with an odd backfill names the field', (odd, told) => {
    const checked = checkJobRecord({ ...jobRecord(), backfills: [odd] });

    expect(checked).toEqual({ problem: expect.stringMatching(told) });
  });
});
