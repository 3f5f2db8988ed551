import { expect, test } from 'vitest';
import { checkJobRecord } from '../../server/core/check-record.ts';
import type { Outcome } from '../../server/core/records.ts';
import { jobRecord, lease } from '../builders.ts';

const record = jobRecord({
  active: { abc: lease() },
  retries: [{ ...lease(), notBefore: 1, since: 1 }],
  queue: [{ runId: 'a', since: 1 }],
  backfill: { id: 'b', from: 1, to: 2, cursor: 1, since: 1, by: null },
  paused: { at: 1, by: null, note: 'x', until: null },
  pauses: [{ from: 1, to: 2 }],
  freed: { runId: 'a', trigger: 'manual' },
  last: { runId: 'a', state: 'lost', at: 1 },
  counters: { lost: 1 },
  recent: Array.from({ length: 60 }, (): Outcome => ({ id: 'a', state: 'lost', at: 1, ms: null })),
  days: [{ day: 20_513, good: 1, bad: 0, quiet: 2 }],
});

test('a whole record passes, also with fields of a newer version', () => {
  const newer = { ...record, colour: 'green' };

  expect(checkJobRecord(record)).toEqual({ record });
  expect(checkJobRecord(newer)).toEqual({ record: newer });
});

test('a record of before there were tallies by day passes, and one that is odd does not', () => {
  const { days: _gone, ...older } = record;
  const late = { id: 'a', state: 'lost', at: 1, ms: null, late: 1500 } as const;
  const odd = { ...record, days: [{ day: 20_513, good: 1, bad: 0 }] };

  expect(checkJobRecord(older)).toEqual({ record: older });
  expect(checkJobRecord({ ...record, recent: [late] })).toMatchObject({
    record: { name: 'nightly-report' },
  });
  expect(checkJobRecord({ ...record, recent: [{ ...late, late: 'x' }] })).toEqual({
    problem: 'recent.0.late is "x", not a number',
  });
  expect(checkJobRecord(odd)).toEqual({ problem: 'field days.0.quiet is missing' });
});

const needed = Object.keys(record).filter((field) => field !== 'days');

test.for(needed)('a record without %s has a problem that names it', (field) => {
  const { [field]: _gone, ...rest } = { ...record } as Record<string, unknown>;

  expect(checkJobRecord(rest)).toEqual({ problem: `field ${field} is missing` });
});

const instant = 'an instant in ms since 1970';

test.for([
  [{ active: { abc: { ...lease(), fence: '7' } } }, 'active.abc.fence is "7", not a number'],
  [{ active: { abc: { ...lease(), owner: undefined } } }, 'field active.abc.owner is missing'],
  [{ active: [] }, 'active is a list, not an object'],
  [{ fence: -1 }, 'fence is -1, not a whole number from 0'],
  [{ fence: 1.5 }, 'fence is 1.5, not a whole number from 0'],
  [{ watermark: '2026-03-01' }, 'watermark is "2026-03-01", not a number'],
  [{ watermark: 1e20 }, `watermark is 100000000000000000000, not ${instant}`],
  [{ watermark: null }, 'watermark is null, not a number'],
  [{ nextActionAt: NaN }, `nextActionAt is null, not ${instant}`],
  [{ name: 7 }, 'name is 7, not a text'],
  [{ schedules: {} }, 'schedules is an object, not a list'],
  [{ pauses: [{ from: 1, to: 2 }, { from: 1 }] }, 'field pauses.1.to is missing'],
  [{ counters: { lost: 'x'.repeat(99) } }, `counters.lost is "${'x'.repeat(39)}…, not a number`],
])('%o gives a problem in words', ([change, problem]) => {
  expect(checkJobRecord({ ...record, ...(change as object) })).toEqual({ problem });
});

test('a state or a policy that does not exist is named, with those that do', () => {
  const { spec } = record;
  const changes = [
    { counters: { done: 1 } },
    { last: { runId: 'a', state: 'done', at: 1 } },
    { spec: { ...spec, overlap: 'never' } },
    { spec: { ...spec, overlap: { allow: 0 } } },
  ];

  const problems = changes.map((change) => checkJobRecord({ ...record, ...change }));

  expect(problems).toEqual([
    { problem: expect.stringMatching(/^counters\.done is "done", not one of queued, running/) },
    { problem: expect.stringMatching(/^last\.state is "done", not one of queued, running/) },
    { problem: 'spec.overlap is "never", not one of skip, queue, replace' },
    { problem: 'spec.overlap.allow is 0, not a whole number from 1' },
  ]);
});

test.for([null, undefined, 7, 'x', [], [record]])('%o is no record', (value) => {
  expect(checkJobRecord(value)).toEqual({ problem: expect.stringMatching(/^the record is /) });
});
