import type { ApplyDeps } from './deps.ts';
import type { RunChange } from './draft.ts';
import type { JobRecord, Span } from './records.ts';
import type { Instant, Timing } from './time.ts';
import type { Covered } from './undecided.ts';

/** As many records as there are occurrences that are judged one by one. */
const PAGES = 20;
const PAGE = 500;

/**
 * An outage looks just like a record that was restored from a backup. Before a range goes on record
 * that reaches further back than wake-ups are ever late, one look tells whether history goes on
 * beyond the watermark: gives what stands there, or undefined for nothing.
 */
export async function lookBeyond(
  deps: ApplyDeps,
  record: JobRecord,
  decided: Decision,
): Promise<Covered | undefined> {
  if (!reachesBack(record, decided, deps.timing)) return undefined;
  const { name: job, watermark } = record;
  const beyond = { job, trigger: 'schedule', since: watermark, limit: 1 } as const;
  const { runs } = await deps.store.listRuns(beyond);
  return runs.length === 0 ? undefined : await coveredBeyond(deps, job, watermark);
}

interface Decision {
  readonly changes: readonly RunChange[];
  readonly now: Instant;
}

/** Whether a range goes on record that takes such a look. */
export function reachesBack(
  { watermark, aheadTo = -Infinity }: JobRecord,
  { changes, now }: Decision,
  { lateAfterMs }: Pick<Timing, 'lateAfterMs'>,
): boolean {
  // Where the clock was ahead and was reset, history is known to go on.
  const old = watermark < aheadTo ? Infinity : now - lateAfterMs;
  return changes.some(
    (one) => one.kind === 'create' && one.run.range !== null && one.run.range.from < old,
  );
}

/** All that is on record beyond a watermark that must have been set back. Bounded. */
export async function coveredBeyond(
  { store }: ApplyDeps,
  job: string,
  watermark: Instant,
): Promise<Covered> {
  const instants = new Set<Instant>();
  const spans: Span[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES; page++) {
    const more = cursor === undefined ? {} : { cursor };
    const found = await store.listRuns({ job, since: watermark, limit: PAGE, ...more });
    for (const { trigger, range, scheduledAt } of found.runs) {
      if (range !== null) spans.push(range);
      else if (trigger === 'schedule' && scheduledAt !== null) instants.add(scheduledAt);
    }
    cursor = found.cursor;
    if (cursor === undefined) break;
  }
  return { instants, spans };
}
