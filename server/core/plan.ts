import { chooseOccurrences, judgeAfterLoss, type Choice } from './choose.ts';
import {
  account,
  expiryOf,
  freeSlot,
  isFull,
  leasesInSlots,
  note,
  recordRange,
  scheduledRunId,
  set,
  slotsOf,
  type DecisionContext,
  type Draft,
  type Offer,
} from './draft.ts';
import { startBackfill, startOccurrence, startQueued, startRetry } from './start.ts';
import { closeBackfill } from './backfills.ts';
import { backfillRunId } from './ids.ts';
import type { Backfill, JobRecord, Retry } from './records.ts';
import { expire } from './settle.ts';
import { STAMP, type Instant } from './time.ts';
import { markCovered, neighbours, nextOccurrence, nextOpen, undecided } from './undecided.ts';
import { moveWatermark, resume } from './watermark.ts';

/**
 * What to do about a job as of now: PROTOCOL.md 2.4, rule by rule. Pure: it reads the record and
 * the context, and changes the draft. Grants at most one attempt; whoever can run more asks again.
 */
export function plan(draft: Draft, ctx: DecisionContext): void {
  passTime(draft, ctx, undefined);
  if (ctx.unsteady === null) {
    if (isFull(draft.record)) replaceRunning(draft, ctx);
    startOne(draft, ctx);
  }
  arm(draft, ctx);
}

/**
 * Rules 1 to 3: what time alone has brought. Leases end, but not that of `except`, whose owner is
 * just reporting; a pause comes to its end.
 */
export function passTime(draft: Draft, ctx: DecisionContext, except: string | undefined): void {
  if (ctx.unsteady !== null) return;
  const loss = expire(draft, ctx, except);
  endPause(draft, ctx);
  if (loss !== undefined) judgeAfterLoss(draft, loss, ctx);
}

/** Rule 3: a pause with an end resumes by itself, at its end however late that is noticed. */
export function endPause(draft: Draft, { now }: DecisionContext): void {
  const { paused } = draft.record;
  if (paused === null || paused.until === null || now < paused.until) return;
  resume(draft, paused.until);
  set(draft, { lastPause: paused });
}

/**
 * Rule 5: under `replace`, an occurrence that fell due after the running run began ends that run.
 */
function replaceRunning(draft: Draft, ctx: DecisionContext): void {
  const due = replaceDueAt(draft.record, ctx.now);
  if (due === undefined || due > ctx.now) return;
  replaceHolders(draft, scheduledRunId(draft.record.name, due), ctx);
}

/**
 * Marks whatever runs in a slot to be cancelled, and cancels at once what waits to be tried again.
 */
export function replaceHolders(draft: Draft, cause: string, ctx: DecisionContext): void {
  const mark = { at: ctx.now, why: 'replaced', by: null } as const;
  for (const [attemptId, lease] of Object.entries(draft.record.active)) {
    if (lease.beside || lease.cancel !== null) continue;
    const active = { ...draft.record.active, [attemptId]: { ...lease, cancel: mark } };
    set(draft, { active });
  }
  for (const { runId, beside } of draft.record.retries) {
    if (!beside) cancelWaiting(draft, runId, 'retry_wait', cause, ctx);
  }
}

/** When rule 5 next ends the run that holds the slot; undefined when it never will, or has. */
function replaceDueAt(record: JobRecord, now: Instant): Instant | undefined {
  if (record.spec.overlap !== 'replace' || record.paused !== null || record.retiredAt !== null) {
    return undefined;
  }
  const leases = Object.values(record.active).filter((lease) => !lease.beside);
  if (leases.some((lease) => lease.cancel !== null)) return undefined;
  const retries = record.retries.filter((retry) => !retry.beside);
  const began = [
    ...leases.map(({ startedAt }) => (startedAt === STAMP ? now : startedAt)),
    ...retries.map((retry) => retry.since),
  ];
  if (began.length === 0) return undefined;
  const after = Math.max(record.watermark, record.catchUpTo ?? -Infinity, Math.min(...began));
  return nextOpen(record, after);
}

/** Takes a waiting run out and ends it as cancelled. */
export function cancelWaiting(
  draft: Draft,
  runId: string,
  from: 'queued' | 'retry_wait',
  cause: string | null,
  { now }: DecisionContext,
): void {
  const { retries, queue } = draft.record;
  const holder = retries.find((retry) => retry.runId === runId);
  if (holder !== undefined) freeSlot(draft, holder, now);
  set(draft, {
    retries: retries.filter((retry) => retry.runId !== runId),
    queue: queue.filter((queued) => queued.runId !== runId),
  });
  const end = { state: 'cancelled', endedAt: STAMP, ...(cause !== null && { cause }) } as const;
  draft.runs.push({ kind: 'change', id: runId, from, set: end });
  account(draft, { id: runId, state: 'cancelled', at: now, ms: null }, 1);
}

/**
 * Rule 6: a due retry starts in the slot it holds; else, with a free slot, whoever waits longest.
 */
function startOne(draft: Draft, ctx: DecisionContext): void {
  if (ctx.offer === undefined) return;
  const { record } = draft;
  const retry = record.retries.find((one) => one.notBefore <= ctx.now && mayRetry(record, one));
  if (retry !== undefined) return startRetry(draft, retry, ctx, ctx.offer);
  if (isFull(draft.record)) return;

  const choice = judge(draft, ctx);
  const [queued] = draft.record.queue;
  const { backfill } = draft.record;
  const waits = [choice?.start, queued?.since, backfill?.since];
  const longest = Math.min(...waits.map((since) => since ?? Infinity));
  if (longest === Infinity) return;
  if (choice?.start === longest) return startOccurrence(draft, choice.start, ctx, ctx.offer);
  if (queued?.since === longest) return startQueued(draft, queued, ctx, ctx.offer);
  continueBackfill(draft, ctx, ctx.offer);
}

/** A definition may have taken slots away from runs that hold them: those wait for one. */
const mayRetry = (record: JobRecord, { beside }: Retry): boolean =>
  beside || leasesInSlots(record) < slotsOf(record);

/** A backfill goes by the schedule in force at its cursor; past its last occurrence it is over. */
function continueBackfill(draft: Draft, ctx: DecisionContext, offer: Offer): void {
  const { backfill } = draft.record;
  if (backfill === null) return;
  const at = neighbours(draft.record, backfill.cursor).next;
  if (at === undefined || at > backfill.to) return closeBackfill(draft, backfill.to, ctx);
  const { next } = neighbours(draft.record, at);
  const runId = backfillRunId(draft.record.name, backfill.id, at);
  if (ctx.existing.has(runId)) return passOverBackfill(draft, { backfill, at, next }, runId, ctx);
  startBackfill(draft, { backfill, at, next }, ctx, offer);
}

/** A run of this backfill that is on record already is not run again. */
function passOverBackfill(
  draft: Draft,
  { backfill, at, next }: { backfill: Backfill; at: Instant; next: Instant | undefined },
  runId: string,
  ctx: DecisionContext,
): void {
  const left = next !== undefined && next <= backfill.to;
  if (left) set(draft, { backfill: { ...backfill, cursor: at } });
  else closeBackfill(draft, backfill.to, ctx);
  const detail = 'its run of this backfill was on record already; it is not run again';
  note(draft, { action: 'anomaly', by: null, job: draft.record.name, runId, detail }, ctx);
}

/** Records all that comes before the first occurrence that may start, or all there is. */
function judge(draft: Draft, ctx: DecisionContext): Choice | undefined {
  if (draft.record.paused !== null || draft.record.retiredAt !== null) return undefined;
  const entries = markCovered(undecided(draft.record, ctx.now), ctx.covered);
  if (entries.length === 0) return undefined;
  const choice = chooseOccurrences(draft.record, entries, ctx);
  for (const { entry, verdict } of choice.record) recordRange(draft, entry, verdict, ctx);
  const last = choice.record.at(-1)?.entry.to;
  if (last !== undefined) moveWatermark(draft, last);
  if (choice.catchUpTo !== draft.record.catchUpTo) set(draft, { catchUpTo: choice.catchUpTo });
  return choice;
}

/** Rule 8: the earliest instant at which anything could happen to this job. */
export function arm(draft: Draft, ctx: Pick<DecisionContext, 'now'>): void {
  const at = nextActionAt(draft.record, ctx.now);
  const stored = draft.record.nextActionAt;
  if (at === stored) return;
  // A lease's end was reckoned from before its stamp, so it lies a moment early. That is worth no
  // write of its own until it has come: a wake-up before its time writes nothing.
  const early = stored !== null && stored > ctx.now && (at === null || at > stored);
  if (draft.record === draft.before && early) return;
  set(draft, { nextActionAt: at });
}

function nextActionAt(record: JobRecord, now: Instant): Instant | null {
  let at = record.paused?.until ?? Infinity;
  const atMost = (instant: Instant | undefined): void => {
    if (instant !== undefined && instant < at) at = instant;
  };
  for (const lease of Object.values(record.active)) atMost(expiryOf(lease, now));
  for (const one of record.retries) if (mayRetry(record, one)) atMost(one.notBefore);
  if (isFull(record)) atMost(replaceDueAt(record, now));
  else {
    const waits = record.queue.length > 0 || record.backfill !== null;
    if (waits) atMost(Math.min(record.nextActionAt ?? now, now));
    const scheduled = record.paused === null && record.retiredAt === null;
    if (scheduled) atMost(nextOccurrence(record, record.watermark));
  }
  return at === Infinity ? null : at;
}
