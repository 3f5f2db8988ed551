import { define, retire, type Definition } from './define.ts';
import {
  draftOf,
  isFull,
  note,
  set,
  type DecisionContext,
  type Draft,
  type Grant,
  type RunChange,
} from './draft.ts';
import { arm, cancelWaiting, endPause, passTime, plan, replaceHolders } from './plan.ts';
import type { ActionRecord, JobRecord, Lease, Note, Run, SpecRecord } from './records.ts';
import { bareEnding, settle, type Ending } from './settle.ts';
import { grant } from './start.ts';
import { STAMP, type Instant } from './time.ts';
import { neighbours } from './undecided.ts';
import { rewind } from './rewind.ts';
import { resume } from './watermark.ts';

/** Everything that can happen to a job. */
export type Event =
  | { readonly kind: 'wake' }
  | { readonly kind: 'renew'; readonly attemptId: string; readonly note: Note | null }
  | { readonly kind: 'finish'; readonly attemptId: string; readonly ending: Ending }
  | { readonly kind: 'manual'; readonly run: Run; readonly beside: boolean }
  | { readonly kind: 'cancel'; readonly runId: string; readonly by: string | null }
  | { readonly kind: 'free'; readonly runId: string; readonly by: string | null }
  | {
      readonly kind: 'pause';
      readonly by: string | null;
      readonly note: string | null;
      readonly until: Instant | null;
    }
  | { readonly kind: 'resume'; readonly by: string | null }
  | {
      readonly kind: 'backfill';
      readonly id: string;
      readonly from: Instant;
      readonly to: Instant;
      readonly by: string | null;
    }
  | { readonly kind: 'define'; readonly definition: Definition }
  | { readonly kind: 'retire' }
  /** The store's clock was reset by an operator to an earlier time than it had given out. */
  | { readonly kind: 'rewind'; readonly to: Instant; readonly by: string | null }
  /** Retention is about to delete what lies up to `from`. */
  | { readonly kind: 'forget'; readonly from: Instant };

/** A decision, ready to be committed; or that there is nothing to do; or why it can't be. */
export type Stepped =
  | {
      readonly kind: 'write';
      readonly record: JobRecord;
      readonly runs: readonly RunChange[];
      readonly specs: readonly SpecRecord[];
      readonly actions: readonly ActionRecord[];
      readonly grant: Grant | undefined;
    }
  | { readonly kind: 'nothing' }
  | Refusal;

export interface Refusal {
  readonly kind: 'refused';
  readonly why:
    | 'busy'
    | 'queue-full'
    | 'retired'
    | 'not-unfinished'
    | 'not-held'
    | 'backfill-running'
    | 'nothing-to-backfill'
    | 'too-many-pauses'
    | 'no-such-job'
    | 'other-namespace'
    | 'unsteady'
    | 'exists';
  /** The run in the way, where there is one. */
  readonly runId: string | null;
}

/** A waiting line longer than this helps nobody. */
const QUEUE_LIMIT = 32;
/** Each ended pause stays in the record until the watermark has passed it. */
const PAUSES_LIMIT = 100;

const refuse = (why: Refusal['why'], runId: string | null = null): Refusal => ({
  kind: 'refused',
  why,
  runId,
});

/**
 * The whole protocol as a function: what the record becomes by an event, and what goes on record
 * with it. Pure. `record` is undefined where the job has none yet.
 */
export function step(record: JobRecord | undefined, event: Event, ctx: DecisionContext): Stepped {
  if (record === undefined) {
    return event.kind === 'define'
      ? define(undefined, event.definition, ctx)
      : refuse('no-such-job');
  }
  if (event.kind === 'define') return define(record, event.definition, ctx);
  if (record.namespace !== ctx.namespace) return refuse('other-namespace');
  const draft = draftOf(record);
  const refusal = happen(draft, event, ctx);
  if (refusal !== undefined) return refusal;
  return written(draft);
}

/** Nothing is written where nothing changed: a duplicate trigger costs no write. */
function written(draft: Draft): Stepped {
  if (draft.record === draft.before) return { kind: 'nothing' };
  const { runs, specs, actions, grant } = draft;
  const record = { ...draft.record, rev: draft.record.rev + 1 };
  return { kind: 'write', record, runs, specs, actions, grant };
}

function happen(
  draft: Draft,
  event: Exclude<Event, { kind: 'define' }>,
  ctx: DecisionContext,
): Refusal | undefined {
  switch (event.kind) {
    case 'wake':
      plan(draft, ctx);
      return undefined;
    case 'renew':
      return renew(draft, event, ctx);
    case 'finish':
      return finish(draft, event, ctx);
    case 'manual':
      return startByHand(draft, event, ctx);
    case 'cancel':
      return cancel(draft, event, ctx);
    case 'free':
      return free(draft, event, ctx);
    case 'pause':
      return pause(draft, event, ctx);
    case 'resume':
      return resumeByHand(draft, event, ctx);
    case 'backfill':
      return backfill(draft, event, ctx);
    case 'retire':
      return retire(draft, ctx);
    case 'forget':
      return forget(draft, event);
    case 'rewind':
      return rewind(draft, event, ctx);
  }
}

type Of<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>;

/** A sign of life: the store stamps it. */
function renew(draft: Draft, event: Of<'renew'>, ctx: DecisionContext): Refusal | undefined {
  const lease = draft.record.active[event.attemptId];
  if (lease === undefined) return refuse('not-held');
  setLease(draft, event.attemptId, { ...lease, renewedAt: STAMP });
  if (event.note !== null) {
    const change = { kind: 'change', id: lease.runId, from: 'running', set: {} } as const;
    draft.runs.push({ ...change, notes: [event.note] });
  }
  arm(draft, ctx);
  return undefined;
}

const setLease = (draft: Draft, attemptId: string, lease: Lease): void =>
  set(draft, { active: { ...draft.record.active, [attemptId]: lease } });

/** Ends an attempt, and in the same commit decides what came due meanwhile. */
function finish(draft: Draft, event: Of<'finish'>, ctx: DecisionContext): Refusal | undefined {
  if (draft.record.active[event.attemptId] === undefined) return refuse('not-held');
  passTime(draft, ctx, event.attemptId);
  settle(draft, event.attemptId, event.ending, ctx.now, ctx);
  plan(draft, ctx);
  return undefined;
}

/** A run that a person asked for. It waits its turn like any other, unless told to run beside. */
function startByHand(draft: Draft, event: Of<'manual'>, ctx: DecisionContext): Refusal | undefined {
  const { run } = event;
  passTime(draft, ctx, undefined);
  const { record } = draft;
  if (record.retiredAt !== null) return refuse('retired');
  if (event.beside) return startBeside(draft, run, ctx);
  if (isFull(record)) {
    if (record.spec.overlap === 'skip') return refuse('busy', blocker(record));
    if (record.spec.overlap === 'replace') replaceHolders(draft, run.id, ctx);
  }
  if (record.queue.length >= QUEUE_LIMIT) return refuse('queue-full', blocker(record));
  set(draft, { queue: [...draft.record.queue, { runId: run.id, since: ctx.now }] });
  draft.runs.push({ kind: 'create', run: { ...run, at: ctx.now, state: 'queued' } });
  plan(draft, ctx);
  return undefined;
}

const blocker = (record: JobRecord): string | null =>
  Object.values(record.active).find((lease) => !lease.beside)?.runId ??
  record.retries.find((retry) => !retry.beside)?.runId ??
  record.queue[0]?.runId ??
  null;

/** Takes no slot, so nothing waits for it and it waits for nothing. */
function startBeside(draft: Draft, run: Run, ctx: DecisionContext): Refusal | undefined {
  if (ctx.unsteady !== null) return refuse('unsteady');
  if (ctx.offer === undefined) return refuse('busy');
  const first = { ...run, runId: run.id, attempt: 1, interruptions: 0, beside: true };
  const open = grant(draft, first, ctx, ctx.offer);
  const started = { state: 'running', startedAt: STAMP, at: ctx.now, attempts: [open] } as const;
  draft.runs.push({ kind: 'create', run: { ...run, ...started } });
  arm(draft, ctx);
  return undefined;
}

/** A waiting run ends at once; a running one is marked, and its owner's next beat sees it. */
function cancel(draft: Draft, event: Of<'cancel'>, ctx: DecisionContext): Refusal | undefined {
  const { runId, by } = event;
  const { active, queue, retries, name } = draft.record;
  const action = { action: 'cancel', by, job: name, runId, detail: 'cancelled by a person' };
  const held = Object.entries(active).find(([, lease]) => lease.runId === runId);
  if (held !== undefined) {
    const [attemptId, lease] = held;
    if (lease.cancel !== null) return undefined;
    const mark = { at: ctx.now, why: 'cancelled', by } as const;
    setLease(draft, attemptId, { ...lease, cancel: mark });
    note(draft, action, ctx);
    arm(draft, ctx);
    return undefined;
  }
  const queued = queue.some((entry) => entry.runId === runId);
  if (!queued && !retries.some((retry) => retry.runId === runId)) return refuse('not-unfinished');
  cancelWaiting(draft, runId, queued ? 'queued' : 'retry_wait', null, ctx);
  note(draft, action, ctx);
  plan(draft, ctx);
  return undefined;
}

/** An operator takes the slot from a handler that does not stop, knowing that it may still work. */
function free(draft: Draft, event: Of<'free'>, ctx: DecisionContext): Refusal | undefined {
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
  note(draft, { action: 'free', by, job: draft.record.name, runId, detail }, ctx);
  plan(draft, ctx);
  return undefined;
}

/** From here on the history answers for what came later only: said before anything is deleted. */
function forget(draft: Draft, { from }: Of<'forget'>): undefined {
  const { ledgerFrom, watermark } = draft.record;
  if (from > ledgerFrom) set(draft, { ledgerFrom: Math.min(from, watermark) });
}

/** Pausing again changes the note and the end, not the beginning. */
function pause(draft: Draft, event: Of<'pause'>, ctx: DecisionContext): Refusal | undefined {
  const { by, note: text, until } = event;
  endPause(draft, ctx);
  const { paused, pauses, name } = draft.record;
  if (pauses.length >= PAUSES_LIMIT) return refuse('too-many-pauses');
  if (paused !== null && paused.note === text && paused.until === until) return undefined;
  set(draft, { paused: { at: paused?.at ?? ctx.now, by, note: text, until } });
  const end = until === null ? 'until resumed' : `until ${new Date(until).toISOString()}`;
  const detail = text === null ? end : `${end}: ${text}`;
  note(draft, { action: 'pause', by, job: name, runId: null, detail }, ctx);
  arm(draft, ctx);
  return undefined;
}

function resumeByHand(
  draft: Draft,
  event: Of<'resume'>,
  ctx: DecisionContext,
): Refusal | undefined {
  const { paused, name } = draft.record;
  if (paused === null) return undefined;
  resume(draft, Math.min(paused.until ?? Infinity, ctx.now));
  const detail = `paused since ${new Date(paused.at).toISOString()}`;
  note(draft, { action: 'resume', by: event.by, job: name, runId: null, detail }, ctx);
  arm(draft, ctx);
  return undefined;
}

function backfill(draft: Draft, event: Of<'backfill'>, ctx: DecisionContext): Refusal | undefined {
  const { id, from, to, by } = event;
  const { record } = draft;
  if (record.retiredAt !== null) return refuse('retired');
  if (record.backfill?.id === id) return undefined;
  if (record.backfill !== null) return refuse('backfill-running');
  const first = neighbours(record, from).next;
  if (first === undefined || first > to || to > ctx.now) return refuse('nothing-to-backfill');
  set(draft, { backfill: { id, from, to, cursor: from, since: ctx.now, by } });
  const detail = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
  note(draft, { action: 'backfill', by, job: record.name, runId: null, detail }, ctx);
  plan(draft, ctx);
  return undefined;
}
