import { recordRange, scheduledRunId, set, type DecisionContext, type Draft } from './draft.ts';
import type { JobRecord } from './records.ts';
import type { Loss } from './settle.ts';
import type { Instant } from './time.ts';
import { ageOf, markCovered, undecided, type Entry, type Verdict } from './undecided.ts';
import { moveWatermark } from './watermark.ts';

/** Which occurrence starts next, and what goes on record before it. */
export interface Choice {
  /** The earliest candidate; undefined when none of the occurrences may start. */
  readonly start: Instant | undefined;
  /**
   * Entries before it (all, where there is none), in order, each with the reason it does not run.
   */
  readonly record: readonly { readonly entry: Entry; readonly verdict: Verdict }[];
  readonly catchUpTo: Instant | null;
}

/** The classes of PROTOCOL.md 2.4, rule 6. Each holds instants, oldest first. */
interface Classes {
  /** In a catch-up that is under way: all of them start. */
  readonly catchingUp: Instant[];
  /** Fell due while the job had no free slot. */
  readonly overlapped: Instant[];
  /** Fell due with a free slot, but nobody woke the job in time. */
  readonly late: Instant[];
  readonly onTime: Instant[];
}

/**
 * Picks which due occurrence starts, and gives each of those before it its true reason. All of
 * `entries` lie in (watermark, now].
 */
export function chooseOccurrences(
  record: JobRecord,
  entries: readonly Entry[],
  ctx: DecisionContext,
): Choice {
  const classes = classify(record, entries, ctx);
  const overlapped = overlappedCandidate(record, classes, ctx);
  const late = lateCandidates(record, classes, ctx);
  const oneDeep = record.spec.overlap === 'queue' || record.spec.overlap === 'replace';
  const keepsLate = record.spec.catchUp.runs === 'all' || !oneDeep;

  const waiting = [...overlapped, ...(keepsLate ? [] : late), ...classes.onTime];
  const kept = oneDeep ? waiting.slice(-1) : waiting;
  const candidates = [...classes.catchingUp, ...(keepsLate ? late : []), ...kept];
  const start = candidates.length === 0 ? undefined : Math.min(...candidates);
  const before = entries.filter((entry) => start === undefined || entry.to < start);
  const catchUpTo = laterOf(record.catchUpTo, late.at(-1));
  // Reasons cost an id and two sets, and mostly nothing stands before what starts.
  if (before.length === 0) return { start, record: [], catchUpTo };
  const verdictOf = verdicts(record, classes, kept.at(-1) ?? late.at(-1), ctx);
  return {
    start,
    record: merge(before.map((entry) => ({ entry, verdict: entry.verdict ?? verdictOf(entry) }))),
    catchUpTo,
  };
}

const laterOf = (a: Instant | null, b: Instant | undefined): Instant | null =>
  a === null ? (b ?? null) : Math.max(a, b ?? a);

function classify(record: JobRecord, entries: readonly Entry[], ctx: DecisionContext): Classes {
  const classes: Classes = { catchingUp: [], overlapped: [], late: [], onTime: [] };
  for (const { to: at, verdict } of entries) {
    if (verdict !== undefined) continue;
    if (record.catchUpTo !== null && at <= record.catchUpTo) classes.catchingUp.push(at);
    else if (at <= record.freeAt) classes.overlapped.push(at);
    else if (ageOf(record, at, ctx.now) > ctx.timing.lateAfterMs) classes.late.push(at);
    else classes.onTime.push(at);
  }
  return classes;
}

/** Under `queue` and `replace`, and after a backfill's run, the latest that waited still starts. */
function overlappedCandidate(record: JobRecord, classes: Classes, ctx: DecisionContext): Instant[] {
  const { overlap, catchUp } = record.spec;
  const waits = overlap === 'queue' || overlap === 'replace';
  if (!waits && record.freed?.trigger !== 'backfill') return [];
  return classes.overlapped
    .slice(-1)
    .filter((at) => ageOf(record, at, ctx.now) <= catchUp.withinMs);
}

/**
 * The catch-up policy. `latest` means the latest of all: where an occurrence is on time, it stands
 * for the late ones, which would only make it overlap.
 */
function lateCandidates(record: JobRecord, classes: Classes, ctx: DecisionContext): Instant[] {
  const { runs, withinMs, max } = record.spec.catchUp;
  const young = classes.late.filter((at) => ageOf(record, at, ctx.now) <= withinMs);
  switch (runs) {
    case 'none':
      return [];
    case 'latest':
      return classes.onTime.length > 0 ? [] : young.slice(-1);
    case 'all':
      return young.slice(-max);
  }
}

/** Why each occurrence that does not start does not. */
function verdicts(
  record: JobRecord,
  classes: Classes,
  standsIn: Instant | undefined,
  ctx: DecisionContext,
): (entry: Entry) => Verdict {
  const overlapped = new Set(classes.overlapped);
  const late = new Set(classes.late);
  const oneDeep = record.spec.overlap === 'queue' || record.spec.overlap === 'replace';
  const cause = standsIn === undefined ? null : scheduledRunId(record.name, standsIn);
  const superseded: Verdict = { state: 'skipped', reason: 'superseded', cause };
  const heldUp: Verdict = {
    state: 'skipped',
    reason: 'overlap',
    cause: record.freed?.runId ?? null,
  };
  return ({ to: at }) => {
    if (late.has(at)) return missed(at, ctx);
    if (overlapped.has(at) && !(oneDeep && standsIn !== undefined)) return heldUp;
    return superseded;
  };
}

/** Nobody was there to see it fall due (`outage`), or somebody was and had no room (`late`). */
function missed(at: Instant, { upSince }: DecisionContext): Verdict {
  const reason = upSince !== null && at >= upSince ? 'late' : 'outage';
  return { state: 'missed', reason, cause: null };
}

/**
 * Neighbours that share a verdict become one range, so an outage is one write however long it was.
 */
export function merge(
  judged: readonly { readonly entry: Entry; readonly verdict: Verdict }[],
): { entry: Entry; verdict: Verdict }[] {
  const merged: { entry: Entry; verdict: Verdict }[] = [];
  for (const { entry, verdict } of judged) {
    const last = merged.at(-1);
    if (last !== undefined && sameVerdict(last.verdict, verdict)) {
      last.entry = {
        from: last.entry.from,
        to: entry.to,
        count: last.entry.count + entry.count,
        atLeast: last.entry.atLeast || entry.atLeast,
        verdict: undefined,
      };
    } else merged.push({ entry, verdict });
  }
  return merged;
}

const sameVerdict = (a: Verdict, b: Verdict): boolean =>
  a.reason === b.reason && a.cause === b.cause;

/**
 * After a loss that will be tried again, the run keeps its slot, and what fell due since it died
 * would later look as if it had overlapped. So it is judged now, as late: those not chosen are
 * missed, and the chosen ones become a catch-up. Where `queue` or `replace` keeps an occurrence
 * from before the loss waiting and the policy starts no late one, nothing is judged: whichever is
 * newest when the slot is free stands for the others.
 */
export function judgeAfterLoss(draft: Draft, loss: Loss, ctx: DecisionContext): void {
  const { record } = draft;
  if (record.paused !== null || record.retiredAt !== null) return;
  const { at: lostAt, runId, trigger } = loss;
  const freeAt = Math.max(record.freeAt, lostAt);
  const asOfLoss: JobRecord = { ...record, freeAt, freed: { runId, trigger } };
  const entries = markCovered(undecided(record, ctx.now), ctx.covered).filter(
    ({ to }) => to <= lostAt || ageOf(record, to, ctx.now) > ctx.timing.lateAfterMs,
  );
  if (!entries.some(({ to }) => to > lostAt)) return;
  const choice = chooseOccurrences(asOfLoss, entries, ctx);
  if (choice.start !== undefined && choice.start <= lostAt) return;
  for (const { entry, verdict } of choice.record) recordRange(draft, entry, verdict, ctx);
  const last = choice.record.at(-1)?.entry.to;
  if (last !== undefined) moveWatermark(draft, last);
  set(draft, { catchUpTo: choice.catchUpTo });
}
