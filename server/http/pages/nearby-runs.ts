import type { Run } from '../../core/records.ts';
import type { RunPage, Store } from '../../core/store.ts';

/** The runs of a job before and after one, in the order of its history. */

type History = Pick<Store, 'listRuns'>;

/** Runs that have the same instant: more than so many are not looked through. */
const AT_ONCE = 20;

/** In one read. */
export async function olderRun(store: History, run: Run): Promise<Run | undefined> {
  const { runs } = await store.listRuns({ job: run.job, until: run.at, limit: AT_ONCE });
  return runs[runs.findIndex(({ id }) => id === run.id) + 1];
}

const FIRST_LOOK_MS = 1000;
const LOOKS = 14;

/**
 * History is read from its new end, so the next run is looked for in stretches of time that grow,
 * up to some years: the first that has any has few. At most 14 reads.
 */
export async function newerRun(store: History, run: Run): Promise<Run | undefined> {
  let [spanMs, cursor]: [number, string | undefined] = [FIRST_LOOK_MS, undefined];
  let before: Run | undefined;
  for (let look = 0; look < LOOKS; look += 1) {
    // From a moment before it: others may have the same instant.
    const stretch = { job: run.job, since: run.at - 1, until: run.at + spanMs, limit: AT_ONCE };
    const page: RunPage = await store.listRuns({ ...stretch, ...(cursor && { cursor }) });
    const at = page.runs.findIndex(({ id }) => id === run.id);
    const next = page.runs[at - 1] ?? before;
    if (at >= 0 && next !== undefined) return next;
    before = page.runs.at(-1);
    cursor = at >= 0 ? undefined : page.cursor;
    if (cursor === undefined) [spanMs, before] = [spanMs * 8, undefined];
  }
  return undefined;
}
