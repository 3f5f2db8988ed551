import type { AttemptOutcome, Run } from '../../server/core/records.ts';
import { isFinal } from '../../server/core/run.ts';
import type { Store } from '../../server/core/store.ts';
import { attemptKey, type Findings, type Told } from './judge.ts';
import { kindOf, slotsOf, triesOf, type Every } from './kinds.ts';

/** Goes over all that is on record once, record by record: hours of it need not fit into memory. */
export interface Reader {
  read(run: Run): void;
}

const PAGE = 500;

/** Shows every record to each reader, when nobody changes them any more. */
export async function readAll(store: Store, readers: readonly Reader[]): Promise<void> {
  let cursor: string | undefined;
  do {
    const more = cursor === undefined ? {} : { cursor };
    const page = await store.listRuns({ limit: PAGE, ...more });
    for (const run of page.runs) for (const reader of readers) reader.read(run);
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Counts what is on record. */
export class Counts implements Reader {
  runs = 0;
  byHand = 0;
  retries = 0;
  readonly outcomes = new Map<AttemptOutcome | null, number>();

  read({ range, trigger, attempts }: Run): void {
    if (range !== null) return;
    this.runs += 1;
    if (trigger === 'manual') this.byHand += 1;
    for (const { n, outcome } of attempts) {
      if (n > 1) this.retries += 1;
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    }
  }
}

/** Machines' clocks agree so far: all is on one machine. */
const CLOCKS_MS = 50;

/** Where what handlers wrote and what is on record do not agree, once every process has ended. */
export class Disagreements implements Reader {
  readonly #told: Findings['attempts'];
  readonly #every: Every;
  readonly #seen = new Set<string>();
  readonly #tokens = new Map<string, Set<number>>();
  readonly #found: string[] = [];

  constructor({ attempts }: Findings, every: Every) {
    this.#told = attempts;
    this.#every = every;
  }

  read(run: Run): void {
    const { id, job, state, attempts, scheduledAt } = run;
    for (const { n, fence, outcome } of attempts) {
      const what = `attempt ${n} of ${id}`;
      const token = this.#tokens.get(job) ?? new Set();
      this.#tokens.set(job, token);
      if (token.has(fence)) this.#found.push(`${what} has the token ${fence} of another`);
      token.add(fence);
      const told = this.#told.get(attemptKey(id, n));
      if (told === undefined) {
        if (outcome === 'succeeded') this.#found.push(`${what} succeeded without a start`);
        continue;
      }
      this.#seen.add(attemptKey(id, n));
      if (told.begin.fence !== fence) {
        this.#found.push(`${what} began with token ${told.begin.fence}, on record is ${fence}`);
      }
      if (scheduledAt !== null && told.begin.at < scheduledAt - CLOCKS_MS) {
        this.#found.push(`${what} began at ${told.begin.at}, before its time`);
      }
      this.#compareEnds(what, told, outcome);
    }
    const open = attempts.filter(({ outcome }) => outcome === null).length;
    if (open > (isFinal(state) ? 0 : 1)) this.#found.push(`${id} is ${state}, ${open} tries open`);
    this.#countTries(run);
  }

  #compareEnds(what: string, { begin, end }: Told, outcome: AttemptOutcome | null): void {
    const how = end?.word === 'end' ? end.how : 'nothing';
    if (outcome === 'succeeded' && how !== 'done') {
      this.#found.push(`${what} succeeded, but its handler did not: it told of ${how}`);
    }
    // An isolated one may still be ended by force, with its last word said.
    const may = ['succeeded', 'lost', 'timed_out', null];
    if (how === 'done' && begin.host === 0 && !may.includes(outcome)) {
      this.#found.push(`${what} was done, and is on record as ${outcome}`);
    }
  }

  #countTries({ id, job, attempts }: Run): void {
    const most = triesOf(kindOf(this.#every, job));
    const fences = attempts.map(({ fence }) => fence);
    if (fences.some((fence, i) => fence <= (fences[i - 1] ?? 0))) {
      this.#found.push(`${id} has tokens that do not grow: ${fences.join(', ')}`);
    }
    const counted = attempts.filter(({ outcome }) => outcome !== 'interrupted').length;
    // Without retries an interrupted attempt is the last one, too.
    const tries = most === 1 ? attempts.length : counted;
    if (tries > most) this.#found.push(`${id} has ${tries} tries, and may have ${most}`);
  }

  /** All of them, once every record was read. */
  found(): readonly string[] {
    const unknown = [...this.#told]
      .filter(([key]) => !this.#seen.has(key))
      .map(([, { begin }]) => `attempt ${begin.attempt} of ${begin.run} is not on record`);
    return [...this.#found, ...unknown];
  }
}

/** How many slots a job of the chaos has. */
export const slotsIn =
  (every: Every) =>
  (job: string): number =>
    slotsOf(kindOf(every, job));
