import { describe, expect, test } from 'vitest';
import { manualRunId } from '../../server/core/ids.ts';
import type { Attempt, Run } from '../../server/core/records.ts';
import { jobRecord, lease, retry, run } from '../builders.ts';
import { stuck } from './afterwards.ts';
import { Disagreements } from './history.ts';
import { parseJournal } from './journal.ts';
import { judge } from './judge.ts';
import { NONE, type Answer, type Asked } from './people.ts';
import { Recoveries } from './recoveries.ts';
import { Untrue } from './untrue.ts';

/** What is compared when all is over finds what it is there to find, and nothing else. */

/** A job without retries, and one that may be tried three times; see `kinds.ts`. */
const [ONCE, THRICE] = ['job-0', 'job-1'] as const;

const attempt = (change: Partial<Attempt>): Attempt => ({
  n: 1,
  fence: 10,
  attemptId: 'a1',
  owner: 'here',
  startedAt: 1000,
  endedAt: 1200,
  outcome: 'succeeded',
  error: null,
  ...change,
});

const ran = (change: Partial<Run>, ...attempts: Partial<Attempt>[]): Run =>
  run({
    id: 'r1',
    job: ONCE,
    state: 'succeeded',
    scheduledAt: 1000,
    range: null,
    attempts: attempts.map(attempt),
    ...change,
  });

const judged = (...lines: string[]) => judge(parseJournal(lines.join('\n')), { leaseMs: 2000 });

const DONE = ['begin 1 1000 job-0 r1 1 10', 'end 1 1100 job-0 r1 1 10 done'];

describe('the journal and the records', () => {
  function apart(lines: readonly string[], ...runs: Run[]): readonly string[] {
    const reader = new Disagreements(judged(...lines), '1s');
    for (const one of runs) reader.read(one);
    return reader.found();
  }

  test('agree where each tells of the same', () => {
    expect(apart(DONE, ran({}, {}))).toEqual([]);
    expect(apart(DONE, ran({ state: 'lost' }, { outcome: 'lost' }))).toEqual([]);
    expect(apart([], ran({ state: 'lost' }, { outcome: 'lost' }))).toEqual([]);
  });

  test.each([
    ['succeeded without a start', [], ran({}, {})],
    ['did not: it told of failed', [DONE[0], DONE[1]?.replace('done', 'failed')], ran({}, {})],
    ['did not: it told of nothing', [DONE[0]], ran({}, {})],
    ['was done, and is on record as failed', DONE, ran({ state: 'failed' }, { outcome: 'failed' })],
    ['before its time', DONE, ran({ scheduledAt: 2000 }, {})],
    ['token 10, on record is 11', DONE, ran({}, { fence: 11 })],
    ['is not on record', DONE, ran({ attempts: [] })],
    ['1 tries open', [DONE[0]], ran({ state: 'lost' }, { outcome: null })],
    ['has 2 tries, and may have 1', DONE, ran({}, {}, { n: 2, fence: 12, outcome: 'failed' })],
    [
      'has 4 tries, and may have 3',
      [],
      ran(
        { job: THRICE, state: 'failed' },
        ...[1, 2, 3, 4].map((n) => ({ n, fence: n, outcome: 'failed' as const })),
      ),
    ],
    [
      'tokens that do not grow',
      [],
      ran({ job: THRICE, state: 'lost' }, { outcome: 'lost' }, { n: 2, fence: 9, outcome: 'lost' }),
    ],
  ])('do not where it %s', (what, lines, one) => {
    const found = apart(
      lines.flatMap((line) => line ?? []),
      one,
    );

    expect(found).toEqual([expect.stringContaining(what)]);
  });

  test('do not where two attempts of a job have one token', () => {
    const two = ran({ id: 'r2', state: 'failed' }, { outcome: 'failed' });

    expect(apart(DONE, ran({}, {}), two)).toEqual([expect.stringContaining('of another')]);
  });
});

describe('what people were told', () => {
  const KEY = manualRunId(ONCE, 'key');
  const byHand = run({ id: KEY, job: ONCE, state: 'cancelled', trigger: 'manual' });
  const asked = (...answers: Answer[]): Partial<Asked> => ({
    runs: new Map([['key', { job: ONCE, answers }]]),
  });
  const PAUSE = { pauses: [{ job: ONCE, from: 4500, to: 6500 }] };
  const range = { from: 3000, to: 5000, count: 3, atLeast: false };

  function untrue(what: Partial<Asked>, ...runs: Run[]): readonly string[] {
    const nothing = { runs: new Map(), cancelled: [], pauses: [], wrong: [] };
    const reader = new Untrue({ ...nothing, ...what }, '1s');
    for (const one of runs) reader.read(one);
    return reader.found();
  }

  test('is so', () => {
    const answers = [{ status: 202, id: KEY } as const, { status: NONE, id: undefined } as const];
    const before = ran({ scheduledAt: 4000 });
    const missed = run({ ...before, state: 'missed', range: { ...range, to: 4000 } });

    expect(untrue({ ...asked(...answers), cancelled: [KEY] }, byHand)).toEqual([]);
    expect(untrue(asked({ status: NONE, id: undefined }), byHand)).toEqual([]);
    expect(untrue(asked({ status: 409, id: undefined }))).toEqual([]);
    expect(untrue(PAUSE, before, missed)).toEqual([]);
  });

  test.each([
    ['of two runs', asked({ status: 202, id: KEY }, { status: 202, id: 'job-0!x' }), byHand],
    ['is not on record', asked({ status: 202, id: KEY }), ran({})],
    ['was refused, and is on record', asked({ status: 409, id: undefined }), byHand],
    ['was cancelled, and failed', { ...asked(), cancelled: [KEY] }, { ...byHand, state: 'failed' }],
    ['was started in a pause', PAUSE, ran({ scheduledAt: 5000 })],
    ['was missed in a pause', PAUSE, run({ ...ran({}), state: 'missed', range })],
    ['500', { wrong: ['POST /: 500'] }, ran({})],
  ] as const)('is not so: %s', (what, told, one) => {
    const words = what === 'of two runs' ? `${KEY} and job-0!x` : what;

    expect(untrue(told, one)).toContainEqual(expect.stringContaining(words));
  });
});

describe('what stands still', () => {
  const GROUND = { tickMs: 1000, every: '1s' } as const;
  const NOW = 100_000;
  const busy = lease({ renewedAt: NOW - 10_000, leaseMs: 2000, graceMs: 200 });

  test('is nothing where all goes on', () => {
    const live = jobRecord({ watermark: NOW - 1500, active: { a: { ...busy, renewedAt: NOW } } });

    expect(stuck(live, NOW, GROUND)).toEqual([]);
  });

  test.each([
    ['without a lease', { watermark: NOW, active: { a: busy } }],
    ['waits since', { watermark: NOW, retries: [retry({ notBefore: NOW - 5000 })] }],
    ['is queued since', { watermark: NOW, queue: [{ runId: 'r1', since: NOW - 5000 }] }],
    ['nothing is decided since', { watermark: NOW - 5000 }],
  ])('is found: %s', (what, change) => {
    expect(stuck(jobRecord(change), NOW, GROUND)).toEqual([expect.stringContaining(what)]);
  });
});

test('how long it took to get over what was done is counted from when somebody was up', () => {
  const lines = [
    'up 1 0',
    'begin 1 1000 job-1 killed 1 10',
    'begin 1 1000 job-2 told 1 10',
    'strike 1 2000 SIGTERM',
    'gone 1 3000 SIGTERM',
    'up 2 5000',
    'begin 2 5500 job-2 told 2 11',
    'begin 2 6000 job-1 stopped 1 11',
    'stop 2 7000',
    'up 3 7500',
  ];
  const recoveries = new Recoveries(judged(...lines));

  recoveries.read(ran({ id: 'killed' }, { outcome: 'lost', endedAt: 5300 }));
  recoveries.read(ran({ id: 'told' }, { outcome: 'interrupted', endedAt: 2600 }));
  recoveries.read(ran({ id: 'stopped' }, { outcome: 'lost', fence: 11, endedAt: 9500 }));

  expect(recoveries).toMatchObject({
    killed: [300],
    told: [600],
    again: [500],
    stopped: [2000],
    ended: [1000],
  });
});
