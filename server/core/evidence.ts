import type { Applied, Intent } from './apply.ts';
import type { ApplyDeps } from './deps.ts';
import { heldOf, type Seen } from './held.ts';
import type { JobRecord, Run } from './records.ts';
import type { Of } from './event.ts';

/*
 * An error from a commit says nothing about whether it was applied, and neither does a conflict: a
 * client may have sent it twice by itself. So an intent looks for its own traces, by ids that were
 * made before its first try.
 */

/** What an earlier try came to, if it was applied after all. `attemptIds` it may have granted. */
export async function evidence(
  deps: ApplyDeps,
  intent: Intent,
  now: Seen,
  attemptIds: readonly string[],
): Promise<Applied | undefined> {
  const held = heldOf(now);
  if (held === undefined) return undefined;
  const attemptId = attemptIds.find((id) => held.record.active[id] !== undefined);
  const lease = attemptId === undefined ? undefined : held.record.active[attemptId];
  const runId = lease?.runId ?? (await ownTrace(deps, intent, held.record));
  if (runId === undefined) return undefined;
  const run = await deps.store.getRun(runId);
  const runs = new Map(run === undefined ? [] : [[runId, run]]);
  const granted =
    attemptId === undefined || run === undefined
      ? undefined
      : { attemptId, run, held, sentAt: intent.sentAt };
  return { kind: 'applied', held, runs, granted };
}

/** A cancel that is refused may have been applied by an earlier try, whose reply was lost. */
export async function cancelledBefore(
  deps: ApplyDeps,
  { event }: Intent,
  now: Seen,
): Promise<Applied | undefined> {
  if (event.kind !== 'cancel' && event.kind !== 'free') return undefined;
  const run = await deps.store.getRun(event.runId);
  if (run?.state !== 'cancelled') return undefined;
  return { kind: 'nothing', held: heldOf(now), at: now.storeNow };
}

/** The run on which this intent left its trace; undefined when it left none. */
async function ownTrace(
  deps: ApplyDeps,
  { event, heldRun }: Intent,
  record: JobRecord,
): Promise<string | undefined> {
  if (event.kind === 'finish' && record.active[event.attemptId] === undefined) {
    const run = heldRun && (await deps.store.getRun(heldRun.id));
    return run !== undefined && endedBy(run, event) ? run.id : undefined;
  }
  if (event.kind === 'manual') {
    const run = await deps.store.getRun(event.run.id);
    return run !== undefined && madeBy(run, event) ? run.id : undefined;
  }
  return undefined;
}

/** Somebody else may have ended the attempt in the same way, but hardly with the same error. */
function endedBy(run: Run, { attemptId, ending }: Of<'finish'>): boolean {
  const own = run.attempts.find((attempt) => attempt.attemptId === attemptId);
  const sameError = JSON.stringify(own?.error) === JSON.stringify(ending.error);
  return own?.outcome === ending.outcome && sameError;
}

/** Of several requests under one key each has a span of its own. */
const madeBy = ({ requestHash, traceparent }: Run, { run }: Of<'manual'>): boolean =>
  requestHash === run.requestHash && traceparent !== null && traceparent === run.traceparent;
