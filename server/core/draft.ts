import { blankRun } from './blank-run.ts';
import type {
  ActionRecord,
  Attempt,
  DayTally,
  JobRecord,
  Lease,
  Note,
  Outcome,
  Run,
  SpecRecord,
  Trigger,
} from './records.ts';
import { assertTransition, isFailure, isFinal, type RunState } from './run.ts';
import { compactInstant, type Instant, type Timing } from './time.ts';
import { ON_RECORD, type Covered, type Entry, type Verdict } from './undecided.ts';

/** What a decision may know besides the record. Everything that varies is in here, read once. */
export interface DecisionContext {
  /** Store time. */
  readonly now: Instant;
  /** Why nothing new may be decided, when the store's clock can't be trusted; else null. */
  readonly unsteady: string | null;
  readonly timing: Timing;
  readonly build: string;
  readonly namespace: string;
  /** From 0 up to 1, for the jitter of a backoff. */
  readonly random: number;
  /** Since when somebody has been here to notice what falls due; null when nobody can say. */
  readonly upSince: Instant | null;
  /** For an action's id, so that a repeated try writes the same one. */
  readonly intentId: string;
  /** Runs that an earlier try of this intent found on record already. */
  readonly existing: ReadonlySet<string>;
  /** Then too: all that is on record beyond the watermark; undefined where nobody had to look. */
  readonly covered: Covered | undefined;
  /** Present when the asker can run an attempt of this job now. */
  readonly offer: Offer | undefined;
}

export interface Offer {
  readonly attemptId: string;
  readonly owner: string;
  readonly traceparent: string;
}

/** What becomes of one run in a commit; several changes to one run are folded into one write. */
export type RunChange =
  | { readonly kind: 'create'; readonly run: Run }
  | {
      readonly kind: 'change';
      readonly id: string;
      readonly from: RunState;
      readonly set: Partial<Omit<Run, 'id' | 'job' | 'attempts' | 'notes'>>;
      /** These three need the run as it stands; without them it need not be read. */
      readonly open?: Attempt;
      readonly close?: Pick<Attempt, 'attemptId' | 'outcome' | 'error' | 'renewals'>;
      readonly notes?: readonly Note[];
    };

/** The right to run one attempt. */
export interface Grant {
  readonly attemptId: string;
  readonly runId: string;
}

/** A decision in the making: the record as it will be, and what goes on record with it. */
export interface Draft {
  readonly before: JobRecord | undefined;
  record: JobRecord;
  grant: Grant | undefined;
  readonly runs: RunChange[];
  readonly specs: SpecRecord[];
  readonly actions: ActionRecord[];
}

export const draftOf = (record: JobRecord): Draft => ({
  before: record,
  record,
  grant: undefined,
  runs: [],
  specs: [],
  actions: [],
});

export function set(draft: Draft, change: Partial<JobRecord>): void {
  draft.record = { ...draft.record, ...change };
}

/**
 * Without a prototype, since each attempt's id is a new name to the engine: it would make a shape
 * of its own for every such object, and keep it.
 */
export function withLease(active: Leases, attemptId: string, lease: Lease): Leases {
  const made: Record<string, Lease> = Object.create(null);
  Object.assign(made, active)[attemptId] = lease;
  return made;
}

type Leases = JobRecord['active'];

export const setLease = (draft: Draft, attemptId: string, lease: Lease): void =>
  set(draft, { active: withLease(draft.record.active, attemptId, lease) });

/** How many runs of the job may be unfinished at once. */
export const slotsOf = ({ spec: { overlap } }: JobRecord): number =>
  typeof overlap === 'object' ? overlap.allow : 1;

/** Runs that hold a slot: those with a lease, and those between two attempts. */
export const slotsUsed = (record: JobRecord): number =>
  leasesInSlots(record) + record.retries.filter((retry) => !retry.beside).length;

/** How many of the runs that hold a slot have a lease. */
export function leasesInSlots({ active }: JobRecord): number {
  let count = 0;
  for (const attemptId in active) if (active[attemptId]?.beside === false) count += 1;
  return count;
}

export const isFull = (record: JobRecord): boolean => slotsUsed(record) >= slotsOf(record);

/** Gives a slot back; `freeAt` never goes back. Call it before the run is taken out. */
export function freeSlot(
  draft: Draft,
  run: { readonly runId: string; readonly trigger: Trigger; readonly beside: boolean },
  at: Instant,
): void {
  if (run.beside || !isFull(draft.record) || at < draft.record.freeAt) return;
  set(draft, { freeAt: at, freed: { runId: run.runId, trigger: run.trigger } });
}

export const scheduledRunId = (job: string, at: Instant): string => `${job}@${compactInstant(at)}`;

/** Puts a stretch of occurrences that do not run on record. The watermark must come to cover it. */
export function recordRange(
  draft: Draft,
  entry: Entry,
  verdict: Verdict,
  ctx: DecisionContext,
): void {
  const { name } = draft.record;
  if (verdict === ON_RECORD) return passOver(draft, entry, ctx);
  const span = `${compactInstant(entry.from)}..${compactInstant(entry.to)}`;
  const run: Run = {
    ...blankRun(name, `${name}@${span}~${verdict.reason}`, ctx),
    state: verdict.state,
    reason: verdict.reason,
    trigger: 'schedule',
    at: entry.to,
    scheduledAt: entry.from,
    cause: verdict.cause,
    range: { from: entry.from, to: entry.to, count: entry.count, atLeast: entry.atLeast },
  };
  assertTransition(run.id, undefined, run.state);
  draft.runs.push({ kind: 'create', run });
  account(draft, { id: run.id, state: run.state, at: run.at, ms: null }, entry.count);
}

/** A restored backup, or a watermark set back: what is on record covers the occurrence. */
function passOver(draft: Draft, { from, to }: Entry, ctx: DecisionContext): void {
  const { name: job } = draft.record;
  const span = from === to ? compactInstant(to) : `${compactInstant(from)}..${compactInstant(to)}`;
  const detail = `${span} was on record before it was decided: neither run nor recorded again`;
  note(draft, { action: 'anomaly', by: null, job, runId: null, detail }, ctx);
}

/** How many outcomes a record keeps at hand. */
export const RECENT_LIMIT = 60;

/** Keeps the overview's figures: totals, by day too, the streak, the last outcomes. */
export function account(draft: Draft, outcome: Outcome, count = 1): void {
  const { counters, recent, streak, days = [] } = draft.record;
  const { id, state, at } = outcome;
  if (!isFinal(state)) return;
  set(draft, {
    counters: { ...counters, [state]: (counters[state] ?? 0) + count },
    recent: [...recent, outcome].slice(-RECENT_LIMIT),
    days: tallied(days, outcome, count),
  });
  if (state === 'skipped' || state === 'missed') return;
  const next = isFailure(state) ? Math.min(streak, 0) - 1 : Math.max(streak, 0) + 1;
  set(draft, { last: { runId: id, state, at }, streak: state === 'cancelled' ? streak : next });
}

const DAY_MS = 86_400_000;
const DAYS_LIMIT = 42;

/** A range may speak of a day before the last: it is added there. */
function tallied(days: readonly DayTally[], { state, at }: Outcome, count: number): DayTally[] {
  const day = Math.floor(at / DAY_MS);
  const known = days.find((one) => one.day === day) ?? { day, good: 0, bad: 0, quiet: 0 };
  const kind = state === 'succeeded' ? 'good' : isFailure(state) ? 'bad' : 'quiet';
  const others = days.filter((one) => one.day !== day);
  return [...others, { ...known, [kind]: known[kind] + count }]
    .toSorted((a, b) => a.day - b.day)
    .slice(-DAYS_LIMIT);
}

export function note(
  draft: Draft,
  action: Omit<ActionRecord, 'id' | 'at'>,
  ctx: DecisionContext,
): void {
  const id = `${ctx.intentId}-${draft.actions.length}`;
  draft.actions.push({ ...action, id, at: ctx.now });
}

/**
 * Store time at which a lease may be judged dead: one more than the last instant it may be alive.
 */
export const expiryOf = (lease: Lease, now: Instant): Instant =>
  Math.max(lease.renewedAt, lease.renewedAt < 0 ? now : 0) + lease.leaseMs + lease.graceMs + 1;
