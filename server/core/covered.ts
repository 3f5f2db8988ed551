import type { ApplyDeps } from './deps.ts';
import type { RunChange } from './draft.ts';
import type { JobRecord, Span } from './records.ts';
import type { Instant } from './time.ts';
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
  { name: job, watermark, aheadTo = -Infinity }: JobRecord,
  { changes, now }: { readonly changes: readonly RunChange[]; readonly now: Instant },
): Promise<Covered | undefined> {
  // Where the clock was ahead and was reset, history is known to go on.
  const old = watermark < aheadTo ? Infinity : now - deps.timing.lateAfterMs;
  const reachesBack = changes.some(
    (one) => one.kind === 'create' && one.run.range !== null && one.run.range.from < old,
  );
  if (!reachesBack) return undefined;
  const beyond = { job, trigger: 'schedule', since: watermark, limit: 1 } as const;
  const { runs } = await deps.store.listRuns(beyond);
  return runs.length === 0 ? undefined : await coveredBeyond(deps, job, watermark);
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
