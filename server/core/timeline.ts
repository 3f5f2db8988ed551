import { slotsOf } from './draft.ts';
import type { JobRecord, Lease, Overlap, Reason, Run, Span } from './records.ts';
import { isFailure, type RunState } from './run.ts';
import { latenessOf } from './settle.ts';
import type { Failures } from './stats.ts';
import type { JobSummary } from './summary.ts';
import type { Instant } from './time.ts';
import { nextOpen } from './undecided.ts';

/*
 * What one job did and will do around now, as a timeline draws it: from its record, from its last
 * outcomes, and from whatever older runs somebody read besides.
 */

/** The time that is shown: as far back as ahead. */
export interface TimeWindow extends Span {
  readonly now: Instant;
}

export interface Lane {
  readonly name: string;
  /** What came to an end in the window, oldest beginning first. */
  readonly ended: readonly Ended[];
  readonly underway: readonly Underway[];
  /** Occurrences that came due a while ago, and that nothing is decided about yet. */
  readonly due: Occurrences;
  readonly coming: Occurrences;
  /**
   * Those of `coming` (of bands, of their first) that fall due while the job would still be at
   * work, and its policy then.
   */
  readonly overlapping: readonly Instant[];
  readonly overlap: Overlap;
  /** What of the window lies in a pause that goes on. */
  readonly paused: Span | null;
  /** How long half of its runs took at most; null where none has ended. */
  readonly typicalMs: number | null;
  /** Of what ended before this only the problems may be known; null: all is. */
  readonly knownFrom: Instant | null;
}

/** A run that ended, or a stretch of occurrences that did not run. */
export interface Ended extends Span {
  /** Null where only a short name of its run is known. */
  readonly id: string | null;
  /** Tells it from the others of its job. */
  readonly short: string;
  readonly state: RunState;
  /** By how much its start came after its occurrence; 0 where it did not, or nobody can say. */
  readonly lateMs: number;
  /** Null for a run. */
  readonly stretch: Stretch | null;
  /** What the error said; null where nobody read it. */
  readonly error: string | null;
}

export interface Stretch {
  readonly reason: Reason | null;
  /** How many occurrences it holds; null where only its ends are known. */
  readonly count: number | null;
  readonly atLeast: boolean;
}

export interface Underway {
  readonly id: string;
  readonly state: 'running' | 'retry_wait' | 'queued';
  /** Since when it is in this state, and when that should be over. */
  readonly from: Instant;
  readonly until: Instant | null;
  readonly lateMs: number;
}

/** Those of some span: one by one, or as `bands` where they are too many for that. */
export interface Occurrences {
  readonly at: readonly Instant[];
  readonly bands: readonly Span[];
}

/** More than this in one half of the window are told as bands. */
const SINGLE_LIMIT = 60;
/** A band is looked through in so many steps, so that it takes no longer however dense it is. */
const BAND_STEPS = 144;
/** What came due just now is about to be decided: that takes a wake-up. */
const NOTICED_MS = 60_000;

/** A job as it is looked at. `record` may lack its outcomes; undefined where it can't be used. */
export interface JobSeen {
  readonly job: Pick<
    JobSummary,
    'name' | 'state' | 'paused' | 'nextScheduledAt' | 'unfinished' | 'last'
  >;
  readonly record: JobRecord | undefined;
  readonly failures: Failures;
}

/** How much there is to see of a job in the window: what went wrong, anything, or nothing. */
export type Interest = 'problem' | 'some' | 'none';

/** Looks only at what is at hand, so that it can be asked of every job. */
export function interestOf(
  { job, record, failures }: JobSeen,
  runs: readonly Run[],
  { from, to, now }: TimeWindow,
): Interest {
  if (job.state === 'broken' || failures.at.some((at) => at > from)) return 'problem';
  if (runs.some(({ state }) => isFailure(state))) return 'problem';
  const last = Math.max(job.last?.at ?? -Infinity, job.paused?.at ?? -Infinity);
  const next = Math.min(job.nextScheduledAt ?? Infinity, dueAt(record, now));
  const some = last > from || next <= to || runs.length + job.unfinished.length > 0;
  return some ? 'some' : 'none';
}

const dueAt = (record: JobRecord | undefined, now: Instant): Instant => {
  const at = record?.nextActionAt ?? Infinity;
  return at <= now ? at : Infinity;
};

/** `ended` is what came to an end, in any order and at any time. */
export function laneOf(
  { job, record, failures }: JobSeen,
  { ended, typicalMs }: Pick<Lane, 'ended' | 'typicalMs'>,
  window: TimeWindow,
): Lane {
  const { from, now } = window;
  const { knownFrom } = failures;
  const bare = {
    name: job.name,
    ended: ended
      .filter((one) => one.to > from && one.from <= now)
      .toSorted((a, b) => a.from - b.from),
    underway: [],
    due: NONE,
    coming: NONE,
    overlapping: [],
    overlap: record?.spec.overlap ?? 'skip',
    paused: pausedIn(job, window),
    typicalMs,
    knownFrom: knownFrom > from ? knownFrom : null,
  };
  if (record === undefined) return bare;
  const underway = underwayIn(record, now, typicalMs);
  const { due, coming, nearest } = occurrencesIn(record, job, window);
  return { ...bare, underway, due, coming, overlapping: overlaps(record, nearest, typicalMs) };
}

const NONE: Occurrences = { at: [], bands: [] };

/** What the record of a run tells, once it has ended. */
export function endedRun(run: Run, short: string): Ended {
  const { id, state, range, reason, at } = run;
  const known = { id, short, state, error: run.error?.message ?? null };
  if (range !== null) {
    const { from, to, count, atLeast } = range;
    return { ...known, from, to, lateMs: 0, stretch: { reason, count, atLeast } };
  }
  const from = run.startedAt ?? run.endedAt ?? at;
  const to = Math.max(from, run.endedAt ?? from);
  return { ...known, from, to, lateMs: latenessOf(run), stretch: null };
}

function pausedIn({ paused }: JobSeen['job'], { from, to }: TimeWindow): Span | null {
  if (paused === null) return null;
  return { from: Math.max(from, paused.at), to: Math.min(to, paused.until ?? to) };
}

function underwayIn(record: JobRecord, now: Instant, typicalMs: number | null): Underway[] {
  const active = Object.values(record.active).map((lease): Underway => {
    const until = typicalMs === null ? null : lease.startedAt + typicalMs;
    return { id: lease.runId, state: 'running', from: lease.startedAt, until, ...late(lease) };
  });
  const retries = record.retries.map(({ runId: id, notBefore }): Underway => {
    const from = Math.min(now, notBefore);
    return { id, state: 'retry_wait', from, until: notBefore, lateMs: 0 };
  });
  const queued = record.queue.map(({ runId: id, since: from }): Underway => {
    return { id, state: 'queued', from, until: null, lateMs: 0 };
  });
  return [...active, ...retries, ...queued];
}

const late = (lease: Lease): { readonly lateMs: number } => ({
  lateMs: lease.attempt === 1 ? latenessOf(lease) : 0,
});

interface Ahead {
  readonly due: Occurrences;
  readonly coming: Occurrences;
  /** The first of what is to come. */
  readonly nearest: readonly Instant[];
}

const NOTHING_AHEAD: Ahead = { due: NONE, coming: NONE, nearest: [] };

/** None of a pause: what falls due in it will be skipped. */
function occurrencesIn(
  record: JobRecord,
  { paused, state }: JobSeen['job'],
  { from, to, now }: TimeWindow,
): Ahead {
  if (state === 'retired') return NOTHING_AHEAD;
  const undecided = Math.max(from, record.watermark);
  const past = { from: undecided, to: Math.min(now - NOTICED_MS, paused?.at ?? now) };
  const endless = paused !== null && paused.until === null;
  const future = { from: Math.max(now, undecided, paused?.until ?? now), to };
  try {
    const due = listed(record, past, firstOf(record, past));
    const nearest = endless ? [] : firstOf(record, future);
    return { due, nearest, coming: listed(record, future, nearest) };
  } catch {
    // A schedule that a newer build wrote and this one can't read.
    return NOTHING_AHEAD;
  }
}

/** One more than are told singly, so that one sees whether there are more. */
function firstOf(record: JobRecord, span: Span): Instant[] {
  const found: Instant[] = [];
  let next = nextIn(record, span);
  while (next !== undefined && found.length <= SINGLE_LIMIT) {
    found.push(next);
    next = nextIn(record, { ...span, from: next });
  }
  return found;
}

const listed = (record: JobRecord, span: Span, first: readonly Instant[]): Occurrences =>
  first.length > SINGLE_LIMIT ? { at: [], bands: bandsOf(record, span) } : { at: first, bands: [] };

/** Passes over what lies closer together than can be seen anyway. */
function bandsOf(record: JobRecord, span: Span): Span[] {
  const step = Math.max(1, Math.floor((span.to - span.from) / BAND_STEPS));
  const bands: Span[] = [];
  let band: Span | undefined;
  let next = nextIn(record, span);
  while (next !== undefined) {
    const to = Math.min(next + step, span.to);
    if (band !== undefined && next - band.to <= step) {
      band = { from: band.from, to };
    } else {
      if (band !== undefined) bands.push(band);
      band = { from: next, to };
    }
    next = nextIn(record, { ...span, from: next + step - 1 });
  }
  return band === undefined ? bands : [...bands, band];
}

function nextIn(record: JobRecord, { from, to }: Span): Instant | undefined {
  const next = from < to ? nextOpen(record, from) : undefined;
  return next !== undefined && next <= to ? next : undefined;
}

/** Plays through what is to come, each run as long as usual. */
function overlaps(
  record: JobRecord,
  coming: readonly Instant[],
  typicalMs: number | null,
): Instant[] {
  if (typicalMs === null) return [];
  const { overlap } = record.spec;
  const slots = slotsOf(record);
  const active = Object.values(record.active).filter(({ beside }) => !beside);
  let ends = active.map(({ startedAt }) => startedAt + typicalMs);
  return coming.filter((at) => {
    ends = ends.filter((end) => end > at);
    const free = ends.length < slots;
    if (free) ends.push(at + typicalMs);
    else if (overlap === 'replace') ends = [at + typicalMs];
    else if (overlap === 'queue') ends.push(Math.min(...ends) + typicalMs);
    return !free;
  });
}
