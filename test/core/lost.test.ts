import { describe, expect, test } from 'vitest';
import { at, PureJob } from './pure-job.ts';

const minutely = { schedule: '* * * * *' };
/** Lease 90 s and grace 5 s after the last sign of life. */
const dead = at('00:02:35');

describe('a lost lease', () => {
  test('is not judged before lease and grace are over', () => {
    const job = new PureJob(minutely, at('00:00'));
    job.wake(at('00:01'));

    job.wake(dead);

    expect(job.history()).toEqual(['00:01 running']);
  });

  test('ends the run as lost, and what fell due before that had overlapped', () => {
    const job = new PureJob(minutely, at('00:00'));
    job.wake(at('00:01'));

    job.wake(dead + 1);

    expect(job.history()).toEqual(['00:01 lost', '00:02 skipped: overlap']);
    expect(job.actions).toContain('lost');
  });

  test('a sign of life moves its end', () => {
    const job = new PureJob(minutely, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';
    job.send({ kind: 'renew', attemptId: attempt, note: null }, at('00:02'));

    job.wake(at('00:03:30'));

    expect(job.record?.active[attempt]).toBeDefined();
    expect(job.record?.nextActionAt).toBe(at('00:03:35') + 1);
  });

  test('is tried again where the policy says so, in the slot it holds', () => {
    const job = new PureJob({ ...minutely, onLost: 'retry' }, at('00:00'));
    job.wake(at('00:01'));

    const again = job.wake(dead + 1) ?? '';
    job.finish(again, at('00:03:30'));

    expect(job.history()).toEqual(['00:01 succeeded', '00:02–00:03 skipped: overlap (2)']);
    const run = job.runs.get('job@20260302T000100Z');
    expect(run?.attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
  });

  test('its retry does not make an outage look like overlap', () => {
    const job = new PureJob({ ...minutely, onLost: 'retry' }, at('00:00'));
    job.wake(at('00:01'));

    // Nobody wakes the job for half an hour; then the retry takes ten minutes.
    const again = job.wake(at('00:30:10')) ?? '';
    const next = job.finish(again, at('00:40:10'));

    expect(next).toBeTypeOf('string');
    if (typeof next === 'string') job.finish(next, at('00:40:20'));
    expect(job.history()).toEqual([
      '00:01 succeeded',
      '00:02 skipped: overlap',
      '00:03–00:26 missed: outage (24)',
      '00:27 succeeded',
      '00:28–00:40 skipped: overlap (13)',
    ]);
  });

  test('is not tried again when its occurrence is older than the catch-up window', () => {
    const job = new PureJob({ ...minutely, onLost: 'retry' }, at('00:00'));
    job.wake(at('00:01'));

    job.wake(at('01:30:10'), false);

    expect(job.history()).toEqual(['00:01 lost']);
  });

  test('its late finish is refused', () => {
    const job = new PureJob(minutely, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';
    job.wake(dead + 1);

    expect(job.finish(attempt, at('00:02:50'))).toMatchObject({ kind: 'refused', why: 'not-held' });
  });

  test('a finish after the lease ended counts while nobody has judged it', () => {
    const job = new PureJob(minutely, at('00:00'));
    const attempt = job.wake(at('00:01')) ?? '';

    job.finish(attempt, at('00:10:00.000'), 'succeeded', false);

    expect(job.history()).toEqual(['00:01 succeeded']);
  });

  test('with a cancel pending ends as cancelled', () => {
    const job = new PureJob(minutely, at('00:00'));
    job.wake(at('00:01'));
    job.send({ kind: 'cancel', runId: 'job@20260302T000100Z', by: 'ann' }, at('00:01:10'));

    job.wake(dead + 1);

    expect(job.history()[0]).toBe('00:01 cancelled');
  });
});
