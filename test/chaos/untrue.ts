import { manualRunId } from '../../server/core/ids.ts';
import type { Run } from '../../server/core/records.ts';
import type { Reader } from './history.ts';
import { EVERY_MS, type Every } from './kinds.ts';
import type { Asked } from './people.ts';

/** Where answers and records do not agree: promises 9, 11 and 12 of docs/guarantees.md. */
export class Untrue implements Reader {
  readonly #asked: Asked;
  readonly #everyMs: number;
  readonly #pauses: ReadonlyMap<string, Asked['pauses']>;
  readonly #wanted: ReadonlySet<string>;
  /** Of the runs that people asked for, and of no others. */
  readonly #states = new Map<string, Run['state']>();
  readonly #found: string[] = [];

  constructor(asked: Asked, every: Every) {
    this.#asked = asked;
    this.#everyMs = EVERY_MS[every];
    this.#pauses = Map.groupBy(asked.pauses, ({ job }) => job);
    const keys = [...asked.runs].map(([key, { job }]) => manualRunId(job, key));
    this.#wanted = new Set([...keys, ...asked.cancelled]);
  }

  read({ id, job, state, trigger, scheduledAt, range }: Run): void {
    if (this.#wanted.has(id)) this.#states.set(id, state);
    if (trigger !== 'schedule' || scheduledAt === null) return;
    for (const { from, to } of this.#pauses.get(job) ?? []) {
      if (range === null && from < scheduledAt && scheduledAt < to) {
        this.#found.push(`${id} was started in a pause`);
      } else if (state === 'missed' && range !== null && this.#fallsInto(range, { from, to })) {
        this.#found.push(`${id} was missed in a pause`);
      }
    }
  }

  /** Whether an occurrence of a range lies within a pause, its ends left out. */
  #fallsInto(range: NonNullable<Run['range']>, pause: { from: number; to: number }): boolean {
    const first = Math.floor(pause.from / this.#everyMs + 1) * this.#everyMs;
    return Math.max(range.from, first) < pause.to && range.to >= first;
  }

  /** All of it, once every record was read. */
  found(): readonly string[] {
    const found = [...this.#asked.wrong, ...this.#found];
    for (const [key, { job, answers }] of this.#asked.runs) {
      const ids = new Set(answers.flatMap(({ id }) => id ?? []));
      const id = manualRunId(job, key);
      if ([...ids].some((one) => one !== id)) found.push(`${key} is ${[...ids].join(' and ')}`);
      const isOnRecord = this.#states.has(id);
      if (ids.size > 0 && !isOnRecord) found.push(`${id} was promised, and is not on record`);
      const refused = answers.every(({ status }) => status >= 400 && status < 500);
      if (refused && isOnRecord) found.push(`${id} was refused, and is on record`);
    }
    for (const id of this.#asked.cancelled) {
      const state = this.#states.get(id) ?? 'not on record';
      if (!['cancelled', 'succeeded'].includes(state)) {
        found.push(`${id} was cancelled, and ${state}`);
      }
    }
    return found;
  }
}
