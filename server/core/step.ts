import { define, retire } from './define.ts';
import { draftOf, setLease, type DecisionContext, type Draft } from './draft.ts';
import { refuse, type Event, type Of, type Refusal, type Stepped } from './event.ts';
import { arm, passTime, plan } from './plan.ts';
import type { JobRecord } from './records.ts';
import {
  backfill,
  cancel,
  endBackfill,
  forget,
  free,
  pause,
  resumeByHand,
  startByHand,
} from './requests.ts';
import { settle } from './settle.ts';
import { STAMP } from './time.ts';

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
    case 'end-backfill':
      return endBackfill(draft, event, ctx);
    case 'retire':
      return retire(draft, ctx);
    case 'forget':
      return forget(draft, event);
  }
}

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

/** Ends an attempt, and in the same commit decides what came due meanwhile. */
function finish(draft: Draft, event: Of<'finish'>, ctx: DecisionContext): Refusal | undefined {
  if (draft.record.active[event.attemptId] === undefined) return refuse('not-held');
  passTime(draft, ctx, event.attemptId);
  settle(draft, event.attemptId, event.ending, ctx.now, ctx);
  plan(draft, ctx);
  return undefined;
}
