import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JobRecord, Range } from '../../server/core/records.ts';
import type { RunState } from '../../server/core/run.ts';
import { alertsOf } from '../../server/observe/alert.ts';
import { jobRecord, run } from '../builders.ts';

const START = Date.UTC(2026, 2, 1);
const MINUTE = 60_000;

type Step = readonly [minute: number, state: RunState, count?: number];

/** What is told of a job's life, each by `minute kind failures`. */
function told(steps: readonly Step[]): string[] {
  let record: JobRecord = jobRecord({ name: 'job' });
  return steps.flatMap(([minute, state, count = 1], n) => {
    const at = START + minute * MINUTE;
    const id = `job@${n}`;
    record = after(record, { id, state, at });
    const range: Range = { from: at, to: at, count, atLeast: false };
    const ran = run({ id, state, at, endedAt: at, range: state === 'missed' ? range : null });
    return alertsOf({ record, ended: [{ id, state, run: ran }], granted: undefined }).map(
      ({ kind, failures, missed }) => `${minute} ${kind} ${failures ?? missed?.count}`,
    );
  });
}

/** As `account` in draft.ts keeps it. */
function after(record: JobRecord, outcome: { id: string; state: RunState; at: number }): JobRecord {
  const { recent, streak } = record;
  const bad = ['failed', 'timed_out', 'lost'].includes(outcome.state);
  const good = outcome.state === 'succeeded';
  const next = bad ? Math.min(streak, 0) - 1 : good ? Math.max(streak, 0) + 1 : streak;
  return { ...record, streak: next, recent: [...recent, { ...outcome, ms: 1 }].slice(-60) };
}

const each = (from: number, to: number, every: number, state: RunState): Step[] =>
  Array.from({ length: (to - from) / every }, (_, i) => [from + i * every, state] as const);

test('a success tells nothing, nor does what was skipped or cancelled', () => {
  expect(told([...each(0, 60, 1, 'succeeded'), [60, 'skipped'], [61, 'cancelled']])).toEqual([]);
});

test.each(['failed', 'timed_out', 'lost'] as const)('a run that %s is told', (state) => {
  expect(
    told([
      [0, 'succeeded'],
      [1, state],
    ]),
  ).toEqual([`1 ${state} 1`]);
});

test('a job that fails every minute is told of at once, then once an hour, with the count', () => {
  expect(told(each(5, 200, 1, 'failed'))).toEqual([
    '5 failed 1',
    '60 failed 56',
    '120 failed 116',
    '180 failed 176',
  ]);
});

test('a job that fails once a day is told of each time', () => {
  expect(told(each(0, 4 * 1440, 1440, 'failed'))).toEqual([
    '0 failed 1',
    '1440 failed 2',
    '2880 failed 3',
    '4320 failed 4',
  ]);
});

test('that it is good again is told once, with how often it had failed', () => {
  const steps: Step[] = [...each(0, 5, 1, 'failed'), [5, 'succeeded'], [6, 'succeeded']];

  expect(told(steps)).toEqual(['0 failed 1', '5 recovered 5']);
});

test('what lies between two failures and is no run changes nothing', () => {
  const steps: Step[] = [
    [0, 'failed'],
    [1, 'skipped'],
    [2, 'cancelled'],
    [3, 'failed'],
    [4, 'skipped'],
    [5, 'succeeded'],
  ];

  expect(told(steps)).toEqual(['0 failed 1', '5 recovered 2']);
});

describe('a job that fails and recovers all the time', () => {
  const flapping = each(1, 181, 1, 'failed').map(([minute], i): Step => [
    minute,
    i % 2 === 0 ? 'failed' : 'succeeded',
  ]);

  test('is told of a few times, then once an hour', () => {
    expect(told(flapping).filter((line) => line.includes('failed'))).toEqual([
      '1 failed 1',
      '3 failed 1',
      '5 failed 1',
      '61 failed 1',
      '121 failed 1',
    ]);
  });

  test('and each failure that was told is told to be over', () => {
    const kinds = told(flapping).map((line) => line.split(' ')[1]);

    expect(kinds).toEqual(Array.from({ length: 5 }, () => ['failed', 'recovered']).flat());
  });

  test('however it goes, no hour has more than nine alerts, and no recovery comes unasked', () => {
    const state = fc.constantFrom<RunState>('failed', 'succeeded', 'skipped', 'lost', 'cancelled');
    const step = fc.tuple(fc.integer({ min: 0, max: 20 }), state);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (gaps) => {
        let minute = 0;
        const lines = told(gaps.map(([gap, one]) => [(minute += gap), one] as const));
        const hours = Map.groupBy(lines, (line) => Math.floor(Number(line.split(' ')[0]) / 60));
        expect(Math.max(0, ...[...hours.values()].map(({ length }) => length))).toBeLessThan(10);
        const kinds = lines.map((line) => line.split(' ')[1]);
        for (const [i, kind] of kinds.entries()) {
          const before = kind === 'recovered' ? kinds[i - 1] : 'lost';
          expect(['failed', 'lost']).toContain(before);
        }
      }),
      { numRuns: 300, seed: 8 },
    );
  });
});

describe('what was missed', () => {
  test('is told with how many occurrences', () => {
    expect(
      told([
        [0, 'succeeded'],
        [300, 'missed', 299],
      ]),
    ).toEqual(['300 missed 299']);
  });

  test('one after another is told once an hour', () => {
    expect(told(each(0, 120, 1, 'missed'))).toEqual(['0 missed 1', '60 missed 1']);
  });

  test('neither begins nor ends a row of failures', () => {
    const steps: Step[] = [
      [0, 'failed'],
      [1, 'missed'],
      [2, 'failed'],
      [3, 'succeeded'],
    ];

    expect(told(steps)).toEqual(['0 failed 1', '1 missed 1', '3 recovered 2']);
  });

  test('in several stretches by one commit is told as one', () => {
    const ranges = [0, 1].map((n) => {
      const at = START + n * MINUTE;
      const range: Range = { from: at, to: at + 1, count: 3, atLeast: n === 0 };
      return run({ id: `r${n}`, state: 'missed', at, range, reason: 'outage' });
    });
    const record = ranges.reduce(
      (before, { id, at }) => after(before, { id, state: 'missed', at }),
      jobRecord(),
    );

    const alerts = alertsOf({
      record,
      ended: ranges.map((one) => ({ id: one.id, state: one.state, run: one })),
      granted: undefined,
    });

    const whole = { from: START, to: START + MINUTE + 1, count: 6, atLeast: true };
    expect(alerts).toMatchObject([{ kind: 'missed', reason: 'outage', missed: whole }]);
  });
});

test('two runs that one commit finds lost are told as one', () => {
  const record = ['a', 'b'].reduce(
    (before, id) => after(before, { id, state: 'lost', at: START }),
    jobRecord(),
  );

  const alerts = alertsOf({
    record,
    ended: ['a', 'b'].map((id) => ({ id, state: 'lost', run: run({ id, state: 'lost' }) })),
    granted: undefined,
  });

  expect(alerts.map(({ kind, run: ran }) => [kind, ran?.id])).toEqual([['lost', 'a']]);
});
