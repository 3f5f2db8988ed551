import type { Deps } from './deps.ts';
import type { JobRecord, Lease, Run, Trigger } from './records.ts';
import { openInput } from './secrets/stored.ts';
import { newTraceparent } from './trace.ts';
import type { Instant } from './time.ts';
import { neighbours } from './undecided.ts';

/** What a handler is called for: plain data, which can be sent to another process as JSON. */
export interface Task {
  readonly job: string;
  readonly runId: string;
  readonly trigger: Trigger;
  readonly scheduledAt: Instant;
  readonly previousScheduledAt: Instant | null;
  readonly nextScheduledAt: Instant | null;
  readonly attempt: number;
  readonly fence: number;
  readonly traceparent: string;
  /** As it is stored, but decrypted; not yet validated. */
  readonly input?: unknown;
  /** The parts of it that nobody may be told. */
  readonly secrets: readonly unknown[];
}

/** What the attempt of a lease is for. Throws where its input can't be decrypted. */
export function taskOf(
  deps: Pick<Deps, 'registry' | 'cipher' | 'random'>,
  of: { readonly run: Run; readonly lease: Lease; readonly record: JobRecord | undefined },
): Task {
  const { run, lease, record } = of;
  const job = deps.registry.get(run.job);
  const scheduledAt = run.scheduledAt ?? run.at;
  const around = record === undefined ? undefined : neighbours(record, scheduledAt);
  const opened = job === undefined ? undefined : openInput(deps.cipher, job, run);
  return {
    job: run.job,
    runId: run.id,
    trigger: run.trigger,
    scheduledAt,
    previousScheduledAt: around?.previous ?? null,
    nextScheduledAt: around?.next ?? null,
    attempt: lease.attempt,
    fence: lease.fence,
    traceparent: newTraceparent(deps, run.traceparent),
    input: opened?.value,
    secrets: opened?.secrets ?? [],
  };
}
