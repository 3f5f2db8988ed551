import { blankRun } from './blank-run.ts';
import { reachesBack } from './covered.ts';
import type { DecisionContext } from './draft.ts';
import type { Intent } from './apply.ts';
import type { ApplyDeps } from './deps.ts';
import type { Stepped } from './event.ts';
import { foldRuns, runsNeeded, type Folded } from './fold.ts';
import type { Seen } from './held.ts';
import type { JobRecord, Run } from './records.ts';
import { BrokenInvariant } from './run.ts';
import { step } from './step.ts';
import type { Commit } from './store.ts';

/** A decision that writes, and what it was made by. */
export interface Decided {
  readonly now: Seen;
  readonly stepped: Extract<Stepped, { kind: 'write' }>;
  readonly ctx: DecisionContext;
}

/** A decision as it is sent to the store. */
export interface Drawn {
  readonly stepped: Decided['stepped'];
  readonly folded: Folded;
  readonly commit: Commit;
}

/** `known`: the runs that had to be read for it; `reads`: how many documents were. */
export function drawUp(
  intent: Intent,
  { now, stepped, ctx }: Decided,
  of: { readonly known: ReadonlyMap<string, Run | undefined>; readonly reads: number },
): Drawn {
  const { record, specs, actions } = stepped;
  checkInvariants(now.record, record);
  const folded = foldRuns(stepped.runs, of.known, (id) => blankRun(intent.job, id, ctx));
  const commit: Commit = {
    op: intent.op,
    about: intent.heldRun?.id ?? stepped.grant?.runId ?? null,
    reads: of.reads,
    name: intent.job,
    version: now.version,
    decidedAt: now.storeNow,
    record,
    create: folded.create,
    update: folded.update,
    specs,
    logs: intent.logs,
    actions,
  };
  return { stepped, folded, commit };
}

/**
 * The same intent by what the store shows in the very moment of writing. Undefined where that takes
 * a closer look, or comes to anything but a write: then it has lost, and is tried again.
 */
export function drawAnew(
  { timing }: Pick<ApplyDeps, 'timing'>,
  intent: Intent,
  { seen, ctx }: { readonly seen: Seen; readonly ctx: DecisionContext },
  runOf: (id: string) => Run | undefined,
): Drawn | undefined {
  const { record } = seen;
  if (record === undefined || record.watermark > seen.storeNow) return undefined;
  try {
    const stepped = step(record, intent.event, ctx);
    if (stepped.kind !== 'write') return undefined;
    if (reachesBack(record, { changes: stepped.runs, now: seen.storeNow }, timing))
      return undefined;
    const needed = [...runsNeeded(stepped.runs, false)];
    const known = new Map(needed.map((id) => [id, runOf(id)]));
    return drawUp(intent, { now: seen, stepped, ctx }, { known, reads: intent.reads });
  } catch (error) {
    if (error instanceof BrokenInvariant) return undefined;
    throw error;
  }
}

/** Invariants I3, I4 and I6 of the protocol, asserted before anything is written. */
function checkInvariants(before: JobRecord | undefined, after: JobRecord): void {
  if (before === undefined) return;
  const broken = (what: string): never => {
    throw new BrokenInvariant(`job "${after.name}": ${what}`);
  };
  if (after.watermark < before.watermark) broken('the watermark went back');
  if (after.fence < before.fence) broken('the fencing token went back');
  for (const [attemptId, lease] of Object.entries(after.active)) {
    if (before.active[attemptId] === undefined && lease.fence <= before.fence) {
      broken(`attempt ${attemptId} got a fencing token that is not new`);
    }
  }
  const slots = typeof after.spec.overlap === 'object' ? after.spec.overlap.allow : 1;
  const held = (job: JobRecord): number =>
    [...Object.values(job.active), ...job.retries].filter((run) => !run.beside).length;
  // A definition that takes slots away leaves the runs that hold them.
  if (held(after) > Math.max(slots, held(before))) broken(`more than ${slots} runs hold a slot`);
}
