import { closeBackfill, knownBackfill } from './backfills.ts';
import { isFull, note, set, setLease, type DecisionContext, type Draft } from './draft.ts';
import { refuse, type Of, type Refusal } from './event.ts';
import { arm, cancelWaiting, endPause, passTime, plan, replaceHolders } from './plan.ts';
import type { JobRecord, Pause } from './records.ts';
import { bareEnding, settle } from './settle.ts';
import { grant } from './start.ts';
import { isoInstant, STAMP } from './time.ts';
import { neighbours } from './undecided.ts';
import { resume } from './watermark.ts';

/** What people ask of a job, each as a change of its draft: the decisions behind run-now.ts. */

/** A waiting line longer than this helps nobody. */
const QUEUE_LIMIT = 32;
/** Each ended pause stays in the record until the watermark has passed it. */
const PAUSES_LIMIT = 100;

/** A run that a person asked for. It waits its turn like any other, unless told to run beside. */
export function startByHand(
  draft: Draft,
  event: Of<'manual'>,
  ctx: DecisionContext,
): Refusal | undefined {
  const { run } = event;
  passTime(draft, ctx, undefined);
  const { record } = draft;
  if (record.retiredAt !== null) return refuse('retired');
  if (event.beside) return startBeside(draft, event, ctx);
  if (isFull(record)) {
    if (record.spec.overlap === 'skip') return refuse('busy', blocker(record));
    if (record.spec.overlap === 'replace') replaceHolders(draft, run.id, ctx);
  }
  if (record.queue.length >= QUEUE_LIMIT) return refuse('queue-full', blocker(record));
  set(draft, { queue: [...draft.record.queue, { runId: run.id, since: ctx.now }] });
  draft.runs.push({ kind: 'create', run: { ...run, at: ctx.now, state: 'queued' } });
  plan(draft, ctx);
  noteStart(draft, event, draft.grant?.runId === run.id ? 'running' : 'waiting', ctx);
  return undefined;
}

/** Whoever started a run by hand is on record for it, as for all that people do. */
function noteStart(
  draft: Draft,
  { run, beside }: Of<'manual'>,
  after: 'running' | 'waiting',
  ctx: DecisionContext,
): void {
  const { id: runId, job, requestedBy: by, cause, input } = run;
  const detail = [
    ...(cause === null ? [] : [`repeats ${cause}`]),
    input === null ? 'no input' : 'input given',
    ...(beside ? ['beside the others'] : []),
  ].join(', ');
  const action = cause === null ? 'run-now' : 'rerun';
  note(draft, { action, by, job, runId, detail, before: null, after }, ctx);
}

const blocker = (record: JobRecord): string | null =>
  Object.values(record.active).find((lease) => !lease.beside)?.runId ??
  record.retries.find((retry) => !retry.beside)?.runId ??
  record.queue[0]?.runId ??
  null;

/** Takes no slot, so nothing waits for it and it waits for nothing. */
function startBeside(draft: Draft, event: Of<'manual'>, ctx: DecisionContext): Refusal | undefined {
  const { run } = event;
  if (ctx.unsteady !== null) return refuse('unsteady');
  if (ctx.offer === undefined) return refuse('busy');
  const first = { ...run, runId: run.id, attempt: 1, interruptions: 0, beside: true };
  const open = grant(draft, first, ctx, ctx.offer);
  const started = { state: 'running', startedAt: STAMP, at: ctx.now, attempts: [open] } as const;
  draft.runs.push({ kind: 'create', run: { ...run, ...started } });
  noteStart(draft, event, 'running', ctx);
  arm(draft, ctx);
  return undefined;
}

/** A waiting run ends at once; a running one is marked, and its owner's next beat sees it. */
export function cancel(
  draft: Draft,
  event: Of<'cancel'>,
  ctx: DecisionContext,
): Refusal | undefined {
  const { runId, by } = event;
  const { active, queue, retries, name } = draft.record;
  const action = { action: 'cancel', by, job: name, runId, detail: 'cancelled by a person' };
  const held = Object.entries(active).find(([, lease]) => lease.runId === runId);
  if (held !== undefined) {
    const [attemptId, lease] = held;
    if (lease.cancel !== null) return undefined;
    const mark = { at: ctx.now, why: 'cancelled', by } as const;
    setLease(draft, attemptId, { ...lease, cancel: mark });
    note(draft, { ...action, before: 'running', after: 'told to stop' }, ctx);
    arm(draft, ctx);
    return undefined;
  }
  const queued = queue.some((entry) => entry.runId === runId);
  if (!queued && !retries.some((retry) => retry.runId === runId)) return refuse('not-unfinished');
  cancelWaiting(draft, runId, queued ? 'queued' : 'retry_wait', null, ctx);
  note(draft, { ...action, before: 'waiting', after: 'cancelled' }, ctx);
  plan(draft, ctx);
  return undefined;
}

/** An operator takes the slot from a handler that does not stop, knowing that it may still work. */
export function free(draft: Draft, event: Of<'free'>, ctx: DecisionContext): Refusal | undefined {
  const { runId, by } = event;
  const held = Object.entries(draft.record.active).find(([, lease]) => lease.runId === runId);
  if (held === undefined) return refuse('not-unfinished');
  const [attemptId, lease] = held;
  passTime(draft, ctx, attemptId);
  const error = {
    name: 'SlotFreed',
    message: 'an operator freed its slot while its handler had not stopped',
    stack: null,
  };
  setLease(draft, attemptId, { ...lease, cancel: { at: ctx.now, why: 'cancelled', by } });
  settle(draft, attemptId, bareEnding('cancelled', error), ctx.now, ctx);
  const detail = 'slot freed; the handler may still be working, so the next run may overlap it';
  const change = { before: 'running', after: 'cancelled, and its slot free' };
  note(draft, { action: 'free', by, job: draft.record.name, runId, detail, ...change }, ctx);
  plan(draft, ctx);
  return undefined;
}

/** From here on the history answers for what came later only: said before anything is deleted. */
export function forget(draft: Draft, { from }: Of<'forget'>): undefined {
  const { ledgerFrom, watermark } = draft.record;
  if (from > ledgerFrom) set(draft, { ledgerFrom: Math.min(from, watermark) });
}

/** Pausing again changes the note and the end, not the beginning. */
export function pause(draft: Draft, event: Of<'pause'>, ctx: DecisionContext): Refusal | undefined {
  const { by, note: text, until } = event;
  endPause(draft, ctx);
  const { paused, pauses, name } = draft.record;
  if (pauses.length >= PAUSES_LIMIT) return refuse('too-many-pauses');
  if (paused !== null && paused.note === text && paused.until === until) return undefined;
  const next: Pause = { at: paused?.at ?? ctx.now, by, note: text, until };
  set(draft, { paused: next });
  const detail = endOf(next);
  const change = { before: standing(paused), after: standing(next) };
  note(draft, { action: 'pause', by, job: name, runId: null, detail, ...change }, ctx);
  arm(draft, ctx);
  return undefined;
}

/** Such as `until 2026-12-01T08:00:00.000Z: maintenance`. */
function endOf({ until, note: text }: Pause): string {
  const end = until === null ? 'until resumed' : `until ${isoInstant(until)}`;
  return text === null ? end : `${end}: ${text}`;
}

const standing = (paused: Pause | null): string =>
  paused === null ? 'active' : `paused ${endOf(paused)}`;

export function resumeByHand(
  draft: Draft,
  event: Of<'resume'>,
  ctx: DecisionContext,
): Refusal | undefined {
  const { paused, name } = draft.record;
  if (paused === null) return undefined;
  resume(draft, Math.min(paused.until ?? Infinity, ctx.now));
  const detail = `paused since ${isoInstant(paused.at)}`;
  const change = { before: detail, after: standing(null) };
  note(draft, { action: 'resume', by: event.by, job: name, runId: null, detail, ...change }, ctx);
  arm(draft, ctx);
  return undefined;
}

export function backfill(
  draft: Draft,
  event: Of<'backfill'>,
  ctx: DecisionContext,
): Refusal | undefined {
  const { id, from, to, by } = event;
  const { record } = draft;
  const known = knownBackfill(record, id);
  if (known !== undefined) {
    return known.from === from && known.to === to ? undefined : refuse('other-backfill');
  }
  if (record.retiredAt !== null) return refuse('retired');
  if (record.backfill !== null) return refuse('backfill-running');
  const first = neighbours(record, from).next;
  if (first === undefined || first > to || to > ctx.now) return refuse('nothing-to-backfill');
  const askedAt = ctx.now;
  set(draft, { backfill: { id, from, to, cursor: from, since: askedAt, by, askedAt } });
  const detail = `${isoInstant(first)} to ${isoInstant(to)}`;
  const change = { before: null, after: `backfill of ${detail}` };
  note(draft, { action: 'backfill', by, job: record.name, runId: null, detail, ...change }, ctx);
  plan(draft, ctx);
  return undefined;
}

/** Opens no more of a backfill; a run of it that is under way goes on. Of another's, nothing. */
export function endBackfill(
  draft: Draft,
  { id, by }: Of<'end-backfill'>,
  ctx: DecisionContext,
): undefined {
  const { backfill: current, name: job } = draft.record;
  if (current?.id !== id) return undefined;
  closeBackfill(draft, current.cursor, ctx);
  const detail = `nothing after ${isoInstant(current.cursor)} is opened any more`;
  const change = { before: `a backfill up to ${isoInstant(current.to)}`, after: null };
  note(draft, { action: 'end-backfill', by, job, runId: null, detail, ...change }, ctx);
  plan(draft, ctx);
}
