import { closeBackfill } from './backfills.ts';
import { draftOf, set, type Draft } from './draft.ts';
import { arm } from './plan.ts';
import type { ActionRecord, JobRecord, Retry, Run, SpecRecord } from './records.ts';
import { backoffMs } from './settle.ts';
import { isoInstant, type Instant } from './time.ts';

/** What stands on record of a job when the store's clock was reset to `now`. */
export interface Rewinding {
  /** The time from which the store goes on. */
  readonly now: Instant;
  readonly by: string | null;
  /** Its ranges that reach beyond `now`, which are deleted with this. */
  readonly undone: readonly Run[];
  /** The latest of its scheduled runs beyond `now`, which stay; null for none. */
  readonly aheadTo: Instant | null;
  /** Of the action. */
  readonly id: string;
}

export interface Rewound {
  readonly record: JobRecord;
  readonly specs: readonly SpecRecord[];
  readonly action: ActionRecord;
}

/**
 * An operator reset the store's clock to an earlier time than it had given out, so a record may
 * speak of a future that has not come. The one event that takes a watermark back. All that lies
 * ahead of `now` is brought back to it; what a range beyond it said of the past is judged again,
 * but for what was paused. Runs that are on record for what comes again are passed over. A living
 * lease gets one more length. Undefined where nothing lies ahead. Pure.
 */
export function rewind(record: JobRecord, rewinding: Rewinding): Rewound | undefined {
  const { now, by, id } = rewinding;
  const draft = draftOf(record);
  takeBackDecisions(draft, rewinding);
  takeBackPauses(draft, rewinding);
  takeBackWork(draft, now);
  takeBackFigures(draft, rewinding);
  if (JSON.stringify(draft.record) === JSON.stringify(record)) return undefined;
  arm(draft, { now });
  const [was, is] = [isoInstant(record.watermark), isoInstant(draft.record.watermark)];
  const change = is === was ? {} : { before: `decided up to ${was}`, after: `decided up to ${is}` };
  const detail = `the clock was reset; the watermark was ${was}`;
  const about = { action: 'rewind', job: record.name, runId: null, detail };
  const action: ActionRecord = { id, at: now, by, ...about, ...change };
  return { record: { ...draft.record, rev: record.rev + 1 }, specs: draft.specs, action };
}

/** What was decided, and by which schedule. */
function takeBackDecisions(draft: Draft, { now, undone, aheadTo }: Rewinding): void {
  const { record } = draft;
  const { name: job, build } = record;
  const back = backTo(now);
  const to = Math.min(now, ...undone.map((run) => (run.range?.from ?? now) - 1));
  const watermark = Math.min(record.watermark, to);
  const schedules = record.schedules.map((entry, i) => ({
    ...entry,
    from: i === 0 ? Math.min(entry.from, watermark) : back(entry.from),
  }));
  for (const [i, entry] of schedules.entries()) {
    if (entry.from === record.schedules[i]?.from) continue;
    draft.specs.push({ ...entry, job, build, zoneData: 'unknown' });
  }
  set(draft, {
    watermark,
    schedules,
    registeredAt: back(record.registeredAt),
    retiredAt: record.retiredAt === null ? null : back(record.retiredAt),
    ledgerFrom: Math.min(record.ledgerFrom, watermark),
    freeAt: record.freeAt > now ? watermark : record.freeAt,
    catchUpTo: (record.catchUpTo ?? 0) > now ? null : record.catchUpTo,
    ...(aheadTo !== null && { aheadTo }),
  });
}

/**
 * Time that was paused stays paused; and a pause whose end had come by the wrong clock alone goes
 * on, for it is there to keep the job from running.
 */
function takeBackPauses(draft: Draft, { now, undone }: Rewinding): void {
  const { paused, pauses, lastPause = null } = draft.record;
  const back = backTo(now);
  const spans = undone
    .filter(({ reason }) => reason === 'paused')
    .flatMap(({ range }) => (range === null ? [] : [{ from: range.from - 1, to: range.to }]));
  const past = [...pauses, ...spans]
    .filter(({ from }) => from < now)
    .map(({ from, to }) => ({ from, to: back(to) }))
    .toSorted((a, b) => a.from - b.from);
  const goesOn =
    paused === null && lastPause !== null && lastPause.at <= now && (lastPause.until ?? 0) > now;
  set(draft, {
    pauses: goesOn ? past.filter(({ to }) => to <= lastPause.at) : past,
    paused: goesOn ? lastPause : paused && { ...paused, at: back(paused.at) },
    ...(goesOn && { lastPause: null }),
  });
}

/** What is at work, and what waits. */
function takeBackWork(draft: Draft, now: Instant): void {
  const { record } = draft;
  const { backfill, backfills } = record;
  const back = backTo(now);
  set(draft, {
    active: Object.fromEntries(
      Object.entries(record.active).map(([id, lease]) => [
        id,
        {
          ...lease,
          startedAt: back(lease.startedAt),
          renewedAt: back(lease.renewedAt),
          cancel: lease.cancel && { ...lease.cancel, at: back(lease.cancel.at) },
        },
      ]),
    ),
    retries: record.retries.map((retry) => ({
      ...retry,
      notBefore: Math.min(retry.notBefore, now + longestWait(record, retry)),
      since: back(retry.since),
    })),
    queue: record.queue.map((queued) => ({ ...queued, since: back(queued.since) })),
    backfill: backfill && { ...backfill, to: back(backfill.to), since: back(backfill.since) },
    ...(backfills && {
      backfills: backfills.map((one) => ({ ...one, endedAt: back(one.endedAt) })),
    }),
  });
  // What it was to go on with has not come yet, or it has nothing left.
  if (backfill !== null && backfill.cursor >= back(backfill.to)) {
    closeBackfill(draft, backfill.cursor, { now });
  }
}

/** The delay that the policy gives before the attempt that comes next, at most. */
const longestWait = ({ spec }: JobRecord, { attempt, interruptions }: Retry): number =>
  backoffMs(spec.retry, Math.max(1, attempt - 1 - interruptions), 1);

/** What people and alerts go by. */
function takeBackFigures(draft: Draft, { now, undone }: Rewinding): void {
  const { recent, last, days, counters } = draft.record;
  const back = backTo(now);
  const gone = new Set(undone.map(({ id }) => id));
  const counts = { ...counters };
  for (const { state, range } of undone) {
    counts[state] = Math.max(0, (counts[state] ?? 0) - (range?.count ?? 0));
  }
  set(draft, {
    recent: recent.filter(({ id }) => !gone.has(id)).map((one) => ({ ...one, at: back(one.at) })),
    last: last && { ...last, at: back(last.at) },
    ...(days && { days: days.filter(({ day }) => day * DAY_MS <= now) }),
    counters: counts,
  });
}

const DAY_MS = 86_400_000;

const backTo =
  (now: Instant) =>
  (at: Instant): Instant =>
    Math.min(at, now);
