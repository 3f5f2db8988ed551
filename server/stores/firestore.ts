import type { Cost } from '../core/cost.ts';
import type { ActionRecord, LateResult, LogChunk, Run, SpecRecord } from '../core/records.ts';
import { STAMP, type Clock, type Instant } from '../core/time.ts';
import {
  UnknownOutcome,
  type ActionPage,
  type ActionQuery,
  type Commit,
  type Committed,
  type DuePage,
  type DueQuery,
  type JobQuery,
  type LogEndQuery,
  type Loaded,
  type LoadedJob,
  type Meta,
  type QuarantineRequest,
  type RunPage,
  type RunQuery,
  type Store,
  type StoreTime,
  type Version,
} from '../core/store.ts';
import { actionFilters, cursorOf, positionOf, runFilters } from './cursor.ts';
import { Commits } from './firestore-commit.ts';
import { Importer } from './firestore-import.ts';
import * as docs from './firestore-docs.ts';
import * as queries from './firestore-queries.ts';
import { Meter } from './firestore-meter.ts';
import { Rpc, type Database } from './firestore-rpc.ts';
import { StoreTimes } from './firestore-time.ts';
import type { Document } from './firestore-types.ts';
import { decode, encode } from './firestore-values.ts';
import { chunkWrite, costOf, deleteOf, Writing } from './firestore-writing.ts';

export interface FirestoreOptions extends Database {
  readonly clock: Clock;
  /** Hears of each query as it is asked. */
  readonly onQuery?: (query: queries.Query) => void;
}

export { findProject } from './firestore-rpc.ts';

export const openFirestoreStore = (options: FirestoreOptions): FirestoreStore =>
  new FirestoreStore(options);

const DELETES_AT_ONCE = 400;
const CALLS_AT_ONCE = 16;

/**
 * The store of many instances. Each commit is one batch of writes under the time of the job's last
 * one; no transaction is held open, and nothing waits for a lock.
 */
export class FirestoreStore implements Store {
  readonly place: string;
  readonly #rpc: Rpc;
  readonly #writing: Writing;
  readonly #commits: Commits;
  readonly #times: StoreTimes;
  readonly #meter = new Meter();
  readonly #onQuery: (query: queries.Query) => void;

  constructor({ clock, onQuery = () => undefined, ...database }: FirestoreOptions) {
    const { project, database: id, emulator } = database;
    const where = emulator === null ? '' : `, emulator ${emulator}`;
    this.place = `Firestore, project ${project}, database ${id}${where}`;
    this.#rpc = new Rpc(database, clock, (writes) => this.#meter.count('unsure', costOf(writes)));
    this.#times = new StoreTimes(clock);
    this.#writing = new Writing(this.#rpc, this.#meter, clock);
    this.#commits = new Commits(this.#rpc, this.#times, this.#meter);
    this.#onQuery = onQuery;
  }

  async read(name: string): Promise<Loaded> {
    const [document, time] = await this.#get('read', `jobs/${name}`);
    const none = { version: undefined, record: undefined, problem: undefined, setAside: undefined };
    return { name, ...none, ...(document && docs.jobOf(document)), ...time };
  }

  /**
   * The query needs a bound before the store's time is known, so it is asked up to a guess that is
   * rather too late, and cut at the time that comes with the answer. Only where the guess was too
   * early, as by a clock that is behind, it is asked again.
   */
  async due({ limit, aheadMs, cursor }: DueQuery): Promise<DuePage> {
    const after = cursor === undefined ? undefined : positionOf(cursor, ['due']);
    let until = this.#times.guess() + aheadMs;
    for (;;) {
      const query = queries.dueJobs(until, limit + 1, after);
      const { documents, time } = await this.#query('due', query);
      const bound = time.storeNow + aheadMs;
      const due = documents.map((document) => ({ document, at: docs.dueAt(document) }));
      const found = due.filter(({ at }) => at <= bound);
      if (until < bound - LATE_ENOUGH_MS && documents.length <= limit) {
        until = bound;
        continue;
      }
      const page = found.slice(0, limit);
      const last = found.length > limit ? page.at(-1) : undefined;
      const end = last && { at: last.at, id: docs.idOf(last.document) };
      const items = page.map(({ document }) => docs.jobOf(document));
      return { items, cursor: end && cursorOf(end, ['due']), ...time };
    }
  }

  async nextActionAfter(after: Instant): Promise<Instant | null> {
    const { documents } = await this.#query('due', queries.nextDue(after));
    const [first] = documents.map(docs.dueAt);
    return first ?? null;
  }

  commit(commit: Commit): Promise<Committed> {
    return this.#commits.apply(commit);
  }

  async quarantine(request: QuarantineRequest): Promise<boolean> {
    return await this.#commits.setAside(request);
  }

  async getRun(id: string): Promise<Run | undefined> {
    const [document] = await this.#get('run', `runs/${id}`);
    const run = document && docs.runOf(document);
    if (run !== undefined) this.#meter.continue(run);
    return run;
  }

  async listRuns(query: RunQuery): Promise<RunPage> {
    const { limit, states, cursor } = query;
    if (states?.length === 0) return { runs: [], cursor: undefined };
    const filters = runFilters(query);
    const after = cursor === undefined ? undefined : positionOf(cursor, filters);
    const { documents } = await this.#query('runs', queries.runsNewest(query, limit + 1, after));
    const runs = documents.slice(0, limit).map(docs.runOf);
    const last = documents.length > limit ? runs.at(-1) : undefined;
    return { runs, cursor: last && cursorOf({ at: last.at, id: last.id }, filters) };
  }

  async saveLateResult(id: string, lateResult: LateResult): Promise<void> {
    await this.#writing.change('late', `runs/${id}`, docs.encodeRun({ lateResult }));
  }

  async deleteRuns(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += CALLS_AT_ONCE) {
      const some = ids.slice(from, from + CALLS_AT_ONCE);
      await Promise.all(some.map((id) => this.#deleteRun(id)));
    }
  }

  /** The run goes last: one whose log is left over is found again. */
  async #deleteRun(id: string): Promise<void> {
    for (;;) {
      const query = queries.inside(`logs/${id}`, 'chunks', DELETES_AT_ONCE);
      const { documents } = await this.#query('delete', { ...query, idsOnly: true });
      const rest = documents.length === DELETES_AT_ONCE;
      const names = documents.flatMap(({ name }) => name ?? []);
      const all = rest ? names : [...names, this.#rpc.nameOf(`runs/${id}`)];
      await this.#writing.put('delete', all.map(deleteOf));
      if (!rest) return;
    }
  }

  async listJobs({ limit, after, changedSince }: JobQuery): Promise<LoadedJob[]> {
    const { documents } = await this.#query(
      'jobs',
      changedSince === undefined
        ? queries.jobsByName(limit, after)
        : queries.jobsChanged(changedSince, limit),
    );
    return documents.map(docs.jobOf);
  }

  async listSpecs(job: string): Promise<SpecRecord[]> {
    const query = queries.inside(`specs/${job}`, 'changes', SPECS_LIMIT);
    const { documents } = await this.#query('specs', query);
    return documents.map(docs.specOf);
  }

  async appendLog(chunk: LogChunk): Promise<void> {
    await this.#writing.put('log', [chunkWrite(this.#rpc, chunk)], chunk.runId);
    if (chunk.keepFrom === 0) return;
    const query = queries.inside(`logs/${chunk.runId}`, 'chunks', DELETES_AT_ONCE);
    const until = docs.padded(chunk.keepFrom);
    const { documents } = await this.#query('log', {
      ...query,
      where: [['__name__', '<', until]],
      idsOnly: true,
    });
    const names = documents.flatMap(({ name }) => name ?? []);
    await this.#writing.put('log', names.map(deleteOf), chunk.runId);
  }

  async readLog(runId: string, from: number, limit: number): Promise<LogChunk[]> {
    const query = queries.inside(`logs/${runId}`, 'chunks', limit);
    const { documents } = await this.#query('log', {
      ...query,
      where: [['__name__', '>=', docs.padded(from)]],
    });
    return documents.map(docs.chunkOf);
  }

  async readLogEnd(runId: string, query: LogEndQuery): Promise<LogChunk[]> {
    const { documents } = await this.#query('log', queries.logEnd(runId, query));
    return documents.map(docs.chunkOf).toReversed();
  }

  async recordAction(action: ActionRecord): Promise<void> {
    // Actions are ordered by their time, so all of them have a number there.
    const at = action.at === STAMP ? (await this.time()).storeNow : action.at;
    await this.#writing.create('action', `actions/${action.id}`, encode({ ...action, at }));
  }

  async listActions(query: ActionQuery): Promise<ActionPage> {
    const { limit, cursor } = query;
    const filters = actionFilters(query);
    const after = cursor === undefined ? undefined : positionOf(cursor, filters);
    const wanted = queries.actionsNewest(query, limit + 1, after);
    const { documents } = await this.#query('action', wanted);
    const actions = documents.slice(0, limit).map(docs.actionOf);
    const last = documents.length > limit ? actions.at(-1) : undefined;
    return { actions, cursor: last && cursorOf(last, filters) };
  }

  async readMeta(key: string): Promise<Meta | undefined> {
    const [document] = await this.#get('meta', `meta/${key}`);
    if (document === undefined) return undefined;
    const { value, rev } = decode(document.fields);
    const version = docs.versionOf(Number(rev), document.updateTime ?? {});
    return { value: JSON.parse(String(value)), version };
  }

  async writeMeta(key: string, value: unknown, version: Version | undefined): Promise<boolean> {
    const before = version === undefined ? undefined : docs.readVersion(version);
    if (version !== undefined && before === undefined) return false;
    const json = JSON.stringify(value);
    const rev = (before?.rev ?? 0) + 1;
    const path = `meta/${key}`;
    try {
      return await this.#writing.replace('meta', path, encode({ value: json, rev }), before);
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) throw error;
      const [now] = await this.#get('meta', path);
      const stands = decode(now?.fields);
      return stands['rev'] === rev && stands['value'] === json;
    }
  }

  /** Reckoned from the last reply, where that is not long ago; else a document is read for it. */
  async time(): Promise<StoreTime> {
    const storeNow = this.#times.reckoned();
    if (storeNow !== undefined) return { storeNow, unsteady: null };
    const [, time] = await this.#get('time', 'meta/clock');
    return time;
  }

  /** Takes records from another store. */
  importer(): Importer {
    return new Importer(this.#rpc, this.#writing);
  }

  costs(): ReadonlyMap<string, Cost> {
    return this.#meter.costs;
  }

  async close(): Promise<void> {
    await this.#rpc.close();
  }

  async #get(op: string, path: string): Promise<[Document | undefined, StoreTime]> {
    const { documents, readTime } = await this.#rpc.get([this.#rpc.nameOf(path)]);
    this.#meter.count(op, { reads: 1 });
    return [documents[0], this.#times.learn(readTime)];
  }

  async #query(op: string, query: queries.Query) {
    if (query.limit < 1) return { documents: [], time: await this.time() };
    this.#onQuery(query);
    const { documents, skipped, readTime } = await this.#rpc.query(query);
    this.#meter.count(op, { reads: Math.max(1, documents.length + skipped) });
    return { documents, time: this.#times.learn(readTime) };
  }
}

/** More than a job's schedule ever changes. */
const SPECS_LIMIT = 10_000;
/** What the way to the server and back may take without the query being asked again. */
const LATE_ENOUGH_MS = 1000;
