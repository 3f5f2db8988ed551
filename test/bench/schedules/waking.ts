import type { Stepped } from '../../../server/core/event.ts';
import type { JobRecord } from '../../../server/core/records.ts';
import { stampJob } from '../../../server/core/stamp.ts';
import { step } from '../../../server/core/step.ts';
import type { Instant } from '../../../server/core/time.ts';
import { nextOccurrence } from '../../../server/core/undecided.ts';
import { rates, type Case } from '../measure.ts';
import type { Bar, Cell, Table } from '../section.ts';
import { contextOf, JOBS, recordOf, REGISTERED } from './jobs.ts';

/** A wake-up comes a moment after what it is for. */
const LATENESS_MS = 40;
const HOUR_MS = 3_600_000;
/** The engine has its last word on code of this size only after some thirty wake-ups. */
const WARM_UP_MS = 3000;
const LIMIT_MS = 50;

interface DueJob {
  readonly record: JobRecord;
  readonly dueAt: Instant;
}

/**
 * How long it takes to decide about many jobs, each at an instant at which one of its occurrences
 * is due. No store, no handler: the decision alone, as a wake-up asks for it.
 */
export function waking(): { table: Table; bars: Bar[] } {
  const jobs = Array.from({ length: JOBS }, (_, i) => dueJob(i));
  const wakes: readonly { what: string; run: () => void; bar?: string }[] = [
    { what: 'one occurrence due: it starts', run: () => starts(jobs), bar: 'one due in each' },
    { what: '… and the look after it, which ends the wake-up', run: () => startsAndLooks(jobs) },
    { what: 'nothing due', run: () => findsNothing(jobs), bar: 'nothing due' },
    { what: 'woken an hour late', run: () => comesLate(jobs) },
  ];
  const measured = rates(
    wakes.map(({ run }) => timesOf(run)),
    WARM_UP_MS,
  ).map((rate) => (typeof rate === 'number' ? 1000 / rate : rate));
  const bars = wakes.flatMap(({ bar }, i): Bar[] => {
    const what = `${JOBS.toLocaleString('en')} jobs planned for one wake-up, ${bar}`;
    const bound = { under: LIMIT_MS };
    return bar === undefined ? [] : [{ what, measured: Number(measured[i]), unit: 'ms', bound }];
  });
  return { table: tableOf(wakes, measured), bars };
}

function tableOf(wakes: readonly { what: string }[], measured: readonly Cell[]): Table {
  return {
    title: `Decisions about ${JOBS.toLocaleString('en')} jobs`,
    columns: ['', 'ms', 'µs each'],
    rows: wakes.map(({ what }, i) => {
      const ms = measured[i] ?? NaN;
      return [what, ms, typeof ms === 'number' ? (ms * 1000) / JOBS : ''];
    }),
  };
}

function dueJob(i: number): DueJob {
  const record = recordOf(i);
  const dueAt = nextOccurrence(record, REGISTERED);
  if (dueAt === undefined) throw new Error(`job ${i} never comes`);
  return { record: { ...record, nextActionAt: dueAt }, dueAt };
}

const timesOf =
  (wake: () => void): Case =>
  (times) => {
    for (let i = 0; i < times; i += 1) wake();
  };

const wake = (record: JobRecord, i: number, now: Instant): Stepped =>
  step(record, { kind: 'wake' }, contextOf(i, now));

function starts(jobs: readonly DueJob[]): void {
  for (const [i, { record, dueAt }] of jobs.entries()) {
    const stepped = wake(record, i, dueAt + LATENESS_MS);
    if (stepped.kind !== 'write' || stepped.grant === undefined) throw new Error('did not start');
  }
}

/** What was granted is looked at once more, as it came back from the store. */
function startsAndLooks(jobs: readonly DueJob[]): void {
  for (const [i, { record, dueAt }] of jobs.entries()) {
    const now = dueAt + LATENESS_MS;
    const stepped = wake(record, i, now);
    if (stepped.kind !== 'write') throw new Error('did not start');
    expectNothing(wake(stampJob(stepped.record, now), i, now));
  }
}

function findsNothing(jobs: readonly DueJob[]): void {
  for (const [i, { record, dueAt }] of jobs.entries()) expectNothing(wake(record, i, dueAt - 1));
}

function comesLate(jobs: readonly DueJob[]): void {
  for (const [i, { record, dueAt }] of jobs.entries()) {
    if (wake(record, i, dueAt + HOUR_MS).kind !== 'write') throw new Error('wrote nothing');
  }
}

function expectNothing({ kind }: Stepped): void {
  if (kind !== 'nothing') throw new Error(`decided to ${kind} where nothing was due`);
}
