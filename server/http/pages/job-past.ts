import type { NotTaken, Taken } from '../../../views/durations.ts';
import type { JobHistory } from '../../../views/job-history.ts';
import type { EarlierInput } from '../../../views/job-forms.ts';
import type { ActionRecord, JobRecord, Run } from '../../core/records.ts';
import { shownInput } from '../../core/secrets/stored.ts';
import { SCAN, searchRuns, type Searched } from '../../core/search.ts';
import { priceOf, type Store } from '../../core/store.ts';
import type { HistoryAsked } from './job-filter.ts';
import { atCursor } from './paging.ts';
import { Unchanged } from './unchanged.ts';

/** What a job's page shows of its past. */
export interface JobPast {
  readonly history: Pick<JobHistory, 'runs' | 'next' | 'search'>;
  readonly taken: readonly Taken[];
  readonly notTaken: readonly NotTaken[];
  readonly actions: readonly ActionRecord[];
  readonly earlier: readonly EarlierInput[];
}

/** A page of history; one record more is read, to know whether others come. */
const RUNS_SHOWN = 50;
/** So many of the newest runs are drawn: each is 250 bytes of the page. */
const DRAWN = { free: 90, billed: 60 } as const;
const ACTIONS_SHOWN = 10;
const EARLIER_SHOWN = 5;

/**
 * The past of jobs. What was read is kept for as long as the record says that nothing has happened:
 * a page that is looked at all day costs one read each time. Nothing depends on it: it may be gone
 * at any time.
 */
export class JobPasts {
  readonly #kept = new Unchanged<JobPast>();

  /** At most four listings: newest runs, what is drawn besides, history if filtered, actions. */
  async read(
    store: Store,
    name: string,
    given: {
      readonly record: JobRecord | undefined;
      readonly asked: HistoryAsked;
      readonly monotonic: number;
    },
  ): Promise<JobPast> {
    const { record, asked, monotonic } = given;
    // What counts back from now is another list each time.
    if (record === undefined || asked.asOf !== null) {
      return await readPast(store, name, asked);
    }
    const key = JSON.stringify([name, asked.filter, asked.trail, happened(record)]);
    return await this.#kept.get(
      key,
      { store: 0, monotonic },
      // All that could change it stands in the key.
      { holds: () => Promise.resolve(true), read: () => readPast(store, name, asked) },
    );
  }
}

/** A record without what a sign of life changes: all else tells of something that happened. */
const happened = (record: JobRecord): string =>
  JSON.stringify(record, (key, value: unknown) => (BEATING.has(key) ? undefined : value));

const BEATING: ReadonlySet<string> = new Set(['rev', 'renewedAt', 'nextActionAt']);

async function readPast(store: Store, name: string, asked: HistoryAsked): Promise<JobPast> {
  const actions = store.listActions({ job: name, limit: ACTIONS_SHOWN });
  const [{ found, newest }, { actions: last }] = await Promise.all([
    readRuns(store, name, asked),
    actions,
  ]);
  const { runs, cursor: next, scanned, backTo } = found;
  const search = asked.text === null ? null : { scanned, backTo };
  return {
    history: { runs, next, search },
    taken: newest.flatMap(takenOf).toReversed(),
    notTaken: newest.flatMap(notTakenOf).toReversed(),
    actions: last,
    earlier: earlierInputs(newest),
  };
}

const NOTHING: Searched = { runs: [], cursor: undefined, scanned: 0, backTo: null };

/** The runs of the list, and the newest ones, none of which is read twice. */
async function readRuns(
  store: Store,
  name: string,
  asked: HistoryAsked,
): Promise<{ readonly found: Searched; readonly newest: readonly Run[] }> {
  const { query, text, trail, problems, isWhole } = asked;
  const price = priceOf(store);
  const [drawn, scan] = [DRAWN[price], SCAN[price]];
  const cursor = trail.at(-1);
  const wanted = { ...query, job: name, text, limit: RUNS_SHOWN };
  const search = async (): Promise<Searched> => {
    if (problems.length > 0) return NOTHING;
    const more = cursor === undefined ? {} : { cursor };
    return await atCursor(searchRuns(store, { ...wanted, ...more }, { scan }));
  };
  if (!isWhole) {
    const list = store.listRuns({ job: name, limit: drawn });
    const [found, { runs }] = await Promise.all([search(), list]);
    return { found, newest: runs };
  }
  const found = await search();
  if (found.cursor === undefined) return { found, newest: found.runs };
  const limit = drawn - RUNS_SHOWN;
  const { runs } = await store.listRuns({ job: name, limit, cursor: found.cursor });
  return { found, newest: [...found.runs, ...runs] };
}

/** Runs that have ended; how long one that still works will take is not known. */
function takenOf(run: Run): Taken[] {
  const { id, state, trigger, startedAt, endedAt, scheduledAt, attempts } = run;
  if (startedAt === null || endedAt === null) return [];
  const due = trigger === 'schedule' ? scheduledAt : null;
  return [
    {
      id,
      state,
      at: due ?? startedAt,
      ms: Math.max(0, endedAt - startedAt),
      attempts: attempts.length,
      lateMs: due === null ? null : startedAt - due,
    },
  ];
}

const notTakenOf = ({ state, range }: Run): NotTaken[] =>
  range === null ? [] : [{ state, from: range.from, to: range.to, count: range.count }];

/** The newest runs whose inputs differ, as far as they are shown. */
function earlierInputs(newest: readonly Run[]): EarlierInput[] {
  const found = new Map<string, EarlierInput>();
  for (const { id, state, at, input: stored } of newest) {
    if (stored === null) continue;
    const input = shownInput(stored, undefined);
    if (found.has(input)) continue;
    found.set(input, { id, state, at, input });
    if (found.size === EARLIER_SHOWN) break;
  }
  return [...found.values()];
}
