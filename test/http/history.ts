import { blankRun } from '../../server/core/blank-run.ts';
import type { ActionRecord, Run } from '../../server/core/records.ts';
import { compactInstant } from '../../server/core/time.ts';
import type { TestService } from '../service.ts';

/** History that nobody lived through, for pages to show. */

/** Runs that went well, `every` ms apart, the last one at `until`. */
export function pastRuns(
  job: string,
  of: { readonly count: number; readonly until: number; readonly every: number },
  given: (n: number) => Partial<Run> = () => ({}),
): Run[] {
  return Array.from({ length: of.count }, (_, n) => {
    const at = of.until - (of.count - 1 - n) * of.every;
    const id = `${job}@${compactInstant(at)}`;
    return {
      ...blankRun(job, id, { now: at, build: 'test' }),
      state: 'succeeded',
      at,
      scheduledAt: at,
      createdAt: at,
      startedAt: at + 20,
      endedAt: at + 1020,
      ...given(n),
    };
  });
}

/** Puts them into the store as one change of a job. */
export async function record(
  { store }: Pick<TestService, 'store'>,
  job: string,
  { runs = [], actions = [] }: { runs?: readonly Run[]; actions?: readonly ActionRecord[] },
): Promise<void> {
  const { record: known, version, storeNow } = await store.read(job);
  if (known === undefined) throw new Error(`there is no job ${job}`);
  const committed = await store.commit({
    op: 'test',
    about: null,
    reads: 0,
    name: job,
    version,
    decidedAt: storeNow,
    record: { ...known, rev: known.rev + 1 },
    create: runs,
    update: [],
    specs: [],
    logs: [],
    actions,
  });
  if (committed.kind !== 'ok') throw new Error(committed.kind);
}
