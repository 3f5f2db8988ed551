import { isFiltered, type FilterChoices, type HistoryFilter } from '../../../views/job-history.ts';
import { trailOf, type Trail } from '../../../views/pager.ts';
import { stateWord } from '../../../views/state.ts';
import { parseRunFilter, runFilterText, STATE_GROUPS } from '../../core/run-filter.ts';
import { RUN_STATES, TRIGGERS } from '../../core/run.ts';
import type { RunQuery } from '../../core/store.ts';
import type { Instant } from '../../core/time.ts';
import { readAsOf } from './paging.ts';

/** What is asked for of a job's history. */
export interface HistoryAsked {
  readonly filter: HistoryFilter;
  readonly query: Pick<RunQuery, 'states' | 'trigger' | 'since' | 'until'>;
  readonly text: string | null;
  readonly problems: readonly string[];
  readonly trail: Trail;
  /** What it counts back from; null where nothing counts back. */
  readonly asOf: Instant | null;
  /** Whether it is the newest page of all there is. */
  readonly isWhole: boolean;
}

/** The parts of a job's address: what narrows its history down, and what run is to be started. */
export const JOB_QUERY = [
  ...(['state', 'trigger', 'since', 'until', 'text', 'cursor', 'asOf'] as const),
  ...(['from', 'as'] as const),
];

/** Read by the rules of the filter of all runs, of which each field here is one word. */
export function readHistory(query: ReadonlyMap<string, string>, now: Instant): HistoryAsked {
  const word = (name: string): string => query.get(name)?.trim() ?? '';
  const filter = {
    state: word('state'),
    trigger: word('trigger'),
    since: word('since'),
    until: word('until'),
    text: word('text'),
  };
  const asOf = readAsOf(query, now);
  const read = parseRunFilter(runFilterText(filter), asOf);
  const trail = trailOf(query.get('cursor'));
  return {
    filter,
    query: read.query,
    text: read.text,
    problems: read.problems.map(({ message }) => message),
    trail,
    asOf: read.relative ? asOf : null,
    isWhole: trail.length === 0 && !isFiltered(filter),
  };
}

const GROUP_WORDS: Readonly<Record<string, string>> = {
  problem: 'went wrong',
  live: 'unfinished',
  done: 'started and ended',
};

export const FILTER_CHOICES: FilterChoices = {
  states: [
    ...Object.keys(STATE_GROUPS).map((name) => [name, GROUP_WORDS[name] ?? name] as const),
    ...RUN_STATES.map((state) => [state, stateWord(state)] as const),
  ],
  triggers: TRIGGERS,
};
