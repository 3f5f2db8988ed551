import { breathe } from './breathe.ts';
import type { Run } from './records.ts';
import { shownInput } from './secrets/stored.ts';
import type { RunQuery, Store } from './store.ts';
import type { Instant } from './time.ts';

/** How many records one search looks through: fewer, where each one read is billed. */
export const SCAN = { free: 2000, billed: 200 } as const;

export interface RunSearch extends RunQuery {
  /** What a run must have in it, in whatever case; null for a plain listing. */
  readonly text: string | null;
}

export interface Searched {
  /** Newest first, at most `limit`. */
  readonly runs: readonly Run[];
  /** Goes on behind the last record looked at, matching or not; undefined at history's end. */
  readonly cursor: string | undefined;
  /** How many records were looked at. */
  readonly scanned: number;
  /** `at` of the last one looked at; null where there was none. */
  readonly backTo: Instant | null;
}

/** A page is read and looked through in one go. */
const PAGE = 200;

/**
 * Finds runs by what a person reads of them, among at most `scan` records behind the cursor. A
 * search that ends there with few matches, or with none, goes on by its cursor: over all pages
 * each match comes once.
 */
export async function searchRuns(
  store: Pick<Store, 'listRuns'>,
  { text, cursor: from, ...query }: RunSearch,
  { scan }: { readonly scan: number },
): Promise<Searched> {
  const { limit } = query;
  if (text === null) {
    const page = await store.listRuns({ ...query, ...(from !== undefined && { cursor: from }) });
    const { runs, cursor } = page;
    return { runs, cursor, scanned: runs.length, backTo: runs.at(-1)?.at ?? null };
  }
  const wanted = text.toLowerCase();
  const found: Run[] = [];
  let [scanned, size] = [0, PAGE];
  let backTo: Instant | null = null;
  let cursor = from;
  while (scanned < scan && found.length < limit) {
    size = Math.min(size, scan - scanned);
    const more = cursor === undefined ? {} : { cursor };
    const page = await store.listRuns({ ...query, limit: size, ...more });
    const matches = page.runs.flatMap((run, i) => (hasIn(run, wanted) ? [{ run, i }] : []));
    const beyond = matches[limit - found.length];
    if (beyond !== undefined) {
      // A cursor stands behind a page only: the page that ends before this match is asked for.
      size = beyond.i;
      continue;
    }
    found.push(...matches.map(({ run }) => run));
    scanned += page.runs.length;
    backTo = page.runs.at(-1)?.at ?? backTo;
    cursor = page.cursor;
    size = PAGE;
    if (cursor === undefined) break;
    await breathe();
  }
  return { runs: found, cursor, scanned, backTo };
}

function hasIn(run: Run, wanted: string): boolean {
  const { error, attempts, notes, lateResult: late } = run;
  const input = shownInput(run.input, undefined);
  const said = [run.id, run.reason, run.output, input, run.requestedBy];
  const errors = [error, late?.error, ...attempts.map((attempt) => attempt.error)];
  return [
    ...said,
    ...errors.flatMap((one) => [one?.name, one?.message]),
    ...notes.map((note) => note.text),
    late?.output,
    ...(late?.notes ?? []),
  ].some((text) => typeof text === 'string' && text.toLowerCase().includes(wanted));
}
