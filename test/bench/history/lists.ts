import { RUN_STATES, type RunState } from '../../../server/core/run.ts';
import type { RunQuery } from '../../../server/core/store.ts';
import { cursorOf, runFilters } from '../../../server/stores/cursor.ts';
import { median } from '../measure.ts';
import type { Bar, Result } from '../section.ts';
import { BUSY, BY_HAND, CALM, SCHEDULED, type Filled } from './filled.ts';

/*
 * Lists of runs, in every form that they can be asked for in: how long a page takes with few runs in
 * the file and with many. Its rows are as many in both, so that it is the finding that is compared.
 */

const PAGE = 50;
const MOST_TIMES = 1.5;
/** For the newest of a job's. */
const MOST_MS = 2;
const ROUNDS = 11;
/** A page takes some tenths of a millisecond: so many are asked for that a round takes this long. */
const BATCH_MS = 15;
/** Of pages from all over a list so many take turns, so that none is still at hand. */
const PLACES = 20;

const PROBLEMS: readonly RunState[] = ['failed', 'timed_out', 'lost', 'missed'];

const FORMS: Readonly<Record<string, Omit<RunQuery, 'limit' | 'cursor'>>> = {
  nothing: {},
  'trigger schedule': { trigger: 'schedule' },
  'trigger manual': { trigger: 'manual' },
  state: { states: ['failed'] },
  'four states': { states: PROBLEMS },
  'every state': { states: RUN_STATES },
  'state, trigger schedule': { states: ['failed'], trigger: 'schedule' },
  'state, trigger manual': { states: ['succeeded'], trigger: 'manual' },
  'state, trigger manual: seldom': { states: ['cancelled'], trigger: 'manual' },
  'four states, trigger manual': { states: PROBLEMS, trigger: 'manual' },
  job: { job: BUSY },
  'job, one of many': { job: CALM },
  'job, state': { job: BUSY, states: ['failed'] },
  'job, state: seldom': { job: BY_HAND, states: ['failed'] },
  'job, four states': { job: BUSY, states: PROBLEMS },
  'job, trigger schedule': { job: BUSY, trigger: 'schedule' },
  'job, trigger manual': { job: BUSY, trigger: 'manual' },
  'job, trigger manual: seldom': { job: SCHEDULED, trigger: 'manual' },
  'job, state, trigger': { job: BUSY, states: ['failed'], trigger: 'manual' },
  'job, four states, trigger': { job: BUSY, states: PROBLEMS, trigger: 'schedule' },
  'job, state: seldom, trigger': { job: BY_HAND, states: ['failed'], trigger: 'manual' },
  'job, state, trigger: seldom': { job: SCHEDULED, states: ['succeeded'], trigger: 'manual' },
};

/** Which pages of a list: its first; from all over it, by cursors; the same, between two times. */
const WHICH = ['first', 'anywhere', 'between'] as const;

/** Milliseconds a page. */
interface Figures {
  readonly few: number;
  readonly many: number;
}

type ListFigures = Readonly<Record<(typeof WHICH)[number], Figures>>;

export async function measureLists(
  few: Filled,
  many: Filled,
  say: (doing: string) => void,
): Promise<Result> {
  const found = new Map<string, ListFigures>();
  for (const [form, query] of Object.entries(FORMS)) {
    say(`list by ${form}`);
    const [here, there] = [await pagesOf(few, query), await pagesOf(many, query)];
    const figures = async (which: (typeof WHICH)[number]): Promise<Figures> =>
      await inTurns(asking(few, here[which]), asking(many, there[which]));
    found.set(form, {
      first: await figures('first'),
      anywhere: await figures('anywhere'),
      between: await figures('between'),
    });
  }
  return resultOf(found);
}

function resultOf(found: ReadonlyMap<string, ListFigures>): Result {
  const columns = WHICH.flatMap((which) => [`${which}: few`, `${which}: many`, `${which}: times`]);
  const rows = [...found].map(([form, of]) => [
    form,
    ...WHICH.flatMap((which) => [of[which].few, of[which].many, grown(of[which])]),
  ]);
  const bars = [...found].map(([form, of]): Bar => {
    const measured = Math.max(...WHICH.map((which) => grown(of[which])));
    const bound = { under: MOST_TIMES };
    return { what: `any page of a list by ${form}: slower`, measured, unit: 'times', bound };
  });
  const newest = ['job', 'job, one of many'].map((form) => found.get(form)?.first.many ?? NaN);
  const unit = { unit: 'ms', bound: { under: MOST_MS } };
  return {
    tables: [
      { title: `A page of ${PAGE} runs, ms, of a list by`, columns: ['', ...columns], rows },
    ],
    bars: [
      ...bars,
      { what: `the newest ${PAGE} runs of a job`, measured: Math.max(...newest), ...unit },
    ],
  };
}

const grown = ({ few, many }: Figures): number => many / few;

type Pages = Readonly<Record<(typeof WHICH)[number], readonly RunQuery[]>>;

async function pagesOf({ service, from, until }: Filled, form: (typeof FORMS)[string]) {
  const { store } = service.deps;
  const query = { ...form, limit: PAGE };
  const [anywhere, between]: [RunQuery[], RunQuery[]] = [[], []];
  for (let place = 1; place <= PLACES; place += 1) {
    const before = Math.floor(until - ((until - from) * place) / (PLACES + 1));
    const { runs } = await store.listRuns({ ...query, limit: PAGE + 1, until: before });
    const [first, last] = [runs[0], runs[PAGE]];
    // At the end of a list there is no whole page left.
    if (first === undefined || last === undefined) break;
    anywhere.push({ ...query, cursor: cursorOf(first, runFilters(query)) });
    between.push({ ...query, until: before, since: last.at });
  }
  if (anywhere.length === 0) throw new Error('a list has no more than one page');
  const pages: Pages = { first: [query], anywhere, between };
  return pages;
}

/** Asks for so many pages, one after another. */
const asking = ({ service }: Filled, pages: readonly RunQuery[]) => {
  const { store } = service.deps;
  let next = 0;
  return async (times: number): Promise<void> => {
    for (let i = 0; i < times; i += 1) {
      const query = pages[next % pages.length];
      next += 1;
      const { runs } = await store.listRuns(query ?? { limit: 0 });
      if (runs.length < PAGE - 1) throw new Error(`a page has ${runs.length} runs`);
    }
  };
};

type Asking = ReturnType<typeof asking>;

async function inTurns(few: Asking, many: Asking): Promise<Figures> {
  // Once through all of them, then as often as a round takes.
  for (const ask of [few, many]) await ask(PLACES * 2);
  const times = Math.max(PLACES, Math.ceil((BATCH_MS * PLACES) / (await elapsed(few, PLACES))));
  const found = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    found.few.push((await elapsed(few, times)) / times);
    found.many.push((await elapsed(many, times)) / times);
  }
  return { few: median(found.few), many: median(found.many) };
}

async function elapsed(ask: Asking, times: number): Promise<number> {
  const before = performance.now();
  await ask(times);
  return performance.now() - before;
}
