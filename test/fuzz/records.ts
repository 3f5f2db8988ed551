import { createHash } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { HOLDING } from './jobs.ts';

/*
 * A second look at a server's database, to see whether a request has changed anything. SQLite says
 * itself whether any other connection has written (`data_version`), which costs nothing; only then
 * is it looked what. Left out is what the service notes by itself, whoever asks for what.
 */

/** Of the clock, of processes that are there, of wake-ups that came. */
const OWN_NOTES = `key NOT GLOB 'instances:*' AND key NOT GLOB 'tick:*'`;

const SKETCH = `
  SELECT 'job ' || name AS what, rev AS n FROM jobs
  UNION ALL SELECT 'meta ' || key, rev FROM meta WHERE ${OWN_NOTES}
  UNION ALL SELECT 'runs', count(*) FROM runs
  UNION ALL SELECT 'actions', count(*) FROM actions
  UNION ALL SELECT 'specs', count(*) FROM specs
  UNION ALL SELECT 'logs', count(*) FROM logs
  ORDER BY 1`;

const WHOLE = [
  'SELECT * FROM jobs ORDER BY name',
  'SELECT * FROM runs ORDER BY id',
  'SELECT * FROM actions ORDER BY id',
  'SELECT * FROM specs ORDER BY job, from_at',
  'SELECT * FROM logs ORDER BY run_id, n',
  `SELECT * FROM meta WHERE ${OWN_NOTES} ORDER BY key`,
] as const;

/** What there is, by kind: revisions of jobs and notes, and how many there are of the rest. */
export type Sketch = ReadonlyMap<string, number>;

/** How long something that goes on is given to come to its end. */
const SETTLES_WITHIN_MS = 20_000;

export class Records {
  readonly #db: DatabaseSync;
  readonly #version: StatementSync;
  readonly #sketch: StatementSync;
  readonly #unfinished: StatementSync;
  readonly #jobs: StatementSync;
  readonly #whole: readonly StatementSync[];

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { readOnly: true });
    const prepare = (sql: string): StatementSync => this.#db.prepare(sql);
    this.#version = prepare('PRAGMA data_version');
    this.#sketch = prepare(SKETCH);
    this.#unfinished = prepare(
      `SELECT id, job, state FROM runs WHERE state IN ('queued', 'running')`,
    );
    this.#jobs = prepare('SELECT name, doc FROM jobs');
    this.#whole = WHOLE.map(prepare);
  }

  /** Another number as soon as anybody has written anything. */
  version(): number {
    return Number(this.#version.get()?.['data_version']);
  }

  sketch(): Sketch {
    return new Map(this.#sketch.all().map(({ what, n }) => [String(what), Number(n)]));
  }

  /** Stands for all that there is, to the last letter. */
  digest(): string {
    const hash = createHash('sha256');
    for (const statement of this.#whole) {
      for (const row of statement.iterate()) hash.update(JSON.stringify(Object.values(row)));
      hash.update('\n');
    }
    return hash.digest('base64url');
  }

  /** Whether a text is anywhere in it. */
  has(text: string): boolean {
    return this.#whole.some((statement) => {
      for (const row of statement.iterate()) {
        if (Object.values(row).some((value) => String(value).includes(text))) return true;
      }
      return false;
    });
  }

  /**
   * Waits until nothing goes on that will write by itself; false where it does not end. Runs that
   * are made to wait for somebody are at rest.
   */
  async settled(): Promise<boolean> {
    const until = performance.now() + SETTLES_WITHIN_MS;
    for (let turn = 0; performance.now() < until; turn++) {
      const before = this.version();
      if (this.#isAtRest()) {
        await pause(1);
        if (this.version() === before && this.#isAtRest()) return true;
      } else await pause(Math.min(50, 1 + turn));
    }
    return false;
  }

  close(): void {
    this.#db.close();
  }

  #isAtRest(): boolean {
    const moving = this.#unfinished
      .all()
      .some(({ job, state }) => state === 'running' && !HOLDING.has(String(job)));
    return !moving && this.#jobs.all().every(({ doc }) => isQuiet(JSON.parse(String(doc))));
  }
}

interface JobDoc {
  readonly name: string;
  readonly active: Readonly<Record<string, { readonly cancel?: unknown }>>;
  readonly queue: readonly unknown[];
  readonly backfill: unknown;
}

/** A run that was cancelled ends soon; so does a backfill, unless its runs are held. */
function isQuiet({ name, active, queue, backfill }: JobDoc): boolean {
  const attempts = Object.values(active);
  if (HOLDING.has(name)) {
    const hasSlot = attempts.length > 0 || (queue.length === 0 && backfill === null);
    return hasSlot && attempts.every(({ cancel }) => cancel === null || cancel === undefined);
  }
  return attempts.length === 0 && queue.length === 0 && backfill === null;
}

/** What one sketch has that the other has not, in words. */
export function changes(before: Sketch, after: Sketch): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((what) => {
    const [was, is] = [before.get(what), after.get(what)];
    return was === is ? [] : [`${what}: ${was ?? 'none'} became ${is ?? 'none'}`];
  });
}
