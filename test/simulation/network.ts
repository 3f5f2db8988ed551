import type {
  ActionRecord,
  LateResult,
  LogChunk,
  Run,
  SpecRecord,
} from '../../server/core/records.ts';
import {
  StoreUnavailable,
  UnknownOutcome,
  type ActionPage,
  type ActionQuery,
  type Again,
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
} from '../../server/core/store.ts';
import type { Cost } from '../../server/core/cost.ts';
import type { Instant } from '../../server/core/time.ts';
import type { SimulatedProcess } from './process.ts';
import type { World } from './world.ts';

/** What becomes of one call on its way to the store and back. Times in ms of true time. */
export type Fate =
  | { readonly kind: 'ok'; readonly there: number; readonly back: number }
  /** Turned away: surely not applied. */
  | { readonly kind: 'refused'; readonly after: number }
  /** Nothing is applied, and nobody says so. */
  | { readonly kind: 'lost request' }
  /** Applied, and nobody says so. */
  | { readonly kind: 'lost reply'; readonly there: number }
  /** Applied when everybody has long given up waiting for it. */
  | { readonly kind: 'late commit'; readonly after: number }
  /** Applied, and said to have met a conflict: a client that sent it twice by itself. */
  | { readonly kind: 'false conflict'; readonly there: number; readonly back: number };

const NOTHING_YET: ReadonlyMap<string, Cost> = new Map();

/** The store as a process sees it: across a network. */
export class RemoteStore implements Store {
  readonly place = 'simulated';
  readonly #world: World;
  readonly #process: SimulatedProcess;

  constructor(world: World, process: SimulatedProcess) {
    this.#world = world;
    this.#process = process;
  }

  read(name: string): Promise<Loaded> {
    return this.#reading('read', (store) => store.read(name));
  }

  due(query: DueQuery): Promise<DuePage> {
    return this.#reading('due', (store) => store.due(query));
  }

  nextActionAfter(after: Instant): Promise<Instant | null> {
    return this.#reading('nextActionAfter', (store) => store.nextActionAfter(after));
  }

  commit(commit: Commit, again?: Again): Promise<Committed> {
    const sentAt = this.#world.storeNow;
    let heard = false;
    // On one machine the store is in the process itself, and asks it while it waits for the end.
    const ask: Again = (now, runOf) =>
      heard || !this.#process.alive ? undefined : again?.(now, runOf);
    const onMachine = this.#world.setting.storeClock === 'machine';
    return this.#writing(`${commit.op} ${commit.name}`, () =>
      this.#world.commit(this.#process, { commit, sentAt, again: onMachine ? ask : undefined }),
    ).finally(() => (heard = true));
  }

  quarantine(request: QuarantineRequest): Promise<boolean> {
    this.#world.witness.setAside(request.name);
    return this.#writing('quarantine', (store) => store.quarantine(request));
  }

  getRun(id: string): Promise<Run | undefined> {
    return this.#reading('getRun', (store) => store.getRun(id));
  }

  listRuns(query: RunQuery): Promise<RunPage> {
    return this.#reading('listRuns', (store) => store.listRuns(query));
  }

  saveLateResult(id: string, late: LateResult): Promise<void> {
    this.#world.witness.lateResult(this.#process, id, late);
    return this.#writing('saveLateResult', (store) => store.saveLateResult(id, late));
  }

  deleteRuns(ids: readonly string[]): Promise<void> {
    return this.#writing('deleteRuns', (store) => store.deleteRuns(ids));
  }

  listJobs(query: JobQuery): Promise<LoadedJob[]> {
    return this.#reading('listJobs', (store) => store.listJobs(query));
  }

  listSpecs(job: string): Promise<SpecRecord[]> {
    return this.#reading('listSpecs', (store) => store.listSpecs(job));
  }

  appendLog(chunk: LogChunk): Promise<void> {
    return this.#writing('appendLog', (store) => store.appendLog(chunk));
  }

  readLog(runId: string, from: number, limit: number): Promise<LogChunk[]> {
    return this.#reading('readLog', (store) => store.readLog(runId, from, limit));
  }

  readLogEnd(runId: string, query: LogEndQuery): Promise<LogChunk[]> {
    return this.#reading('readLogEnd', (store) => store.readLogEnd(runId, query));
  }

  recordAction(action: ActionRecord): Promise<void> {
    return this.#writing('recordAction', (store) => store.recordAction(action));
  }

  listActions(query: ActionQuery): Promise<ActionPage> {
    return this.#reading('listActions', (store) => store.listActions(query));
  }

  readMeta(key: string): Promise<Meta | undefined> {
    return this.#reading('readMeta', (store) => store.readMeta(key));
  }

  writeMeta(key: string, value: unknown, version: Version | undefined): Promise<boolean> {
    return this.#writing('writeMeta', (store) => store.writeMeta(key, value, version));
  }

  time(): Promise<StoreTime> {
    return this.#reading('time', (store) => store.time());
  }

  /** A server's calls are billed, and so it is asked more seldom; only that counts here. */
  costs(): ReadonlyMap<string, Cost> | undefined {
    return this.#world.setting.storeClock === 'server' ? NOTHING_YET : undefined;
  }

  async close(): Promise<void> {}

  #reading<Value>(op: string, work: (store: Store) => Promise<Value>): Promise<Value> {
    return this.#call(op, false, work);
  }

  #writing<Value>(op: string, work: (store: Store) => Promise<Value>): Promise<Value> {
    return this.#call(op, true, work);
  }

  /** Sends a call off on its fate. A process that ended meanwhile never hears of it. */
  #call<Value>(op: string, write: boolean, work: (store: Store) => Promise<Value>): Promise<Value> {
    const world = this.#world;
    const process = this.#process;
    const fate = world.faults.fateOf(process, op, write);
    const { callTimeoutMs } = world;
    if (fate.kind !== 'ok') world.say(() => `${process.name} asks to ${op}: ${fate.kind}`);
    return new Promise((resolve, reject) => {
      const fails = (after: number, error: Error): void => {
        process.later(after, () => ((process.storeFailedAt = world.now), reject(error)), 'reply');
      };
      const unheard = (): void => {
        const what = `${op} got no answer in ${callTimeoutMs} ms`;
        fails(callTimeoutMs, write ? new UnknownOutcome(what) : new StoreUnavailable(what));
      };
      const perform = (answer: (value: Value) => void): void => {
        world.as(process, write, () => work(world.store)).then(answer, reject);
      };
      const arrives = (after: number, answer: (value: Value) => void): void =>
        void world.timeline.add(world.now + after, () => perform(answer));
      switch (fate.kind) {
        case 'ok':
          return arrives(fate.there, (value) =>
            process.later(fate.back, () => resolve(value), 'reply'),
          );
        case 'refused':
          return fails(fate.after, new StoreUnavailable(`${op} was turned away`));
        case 'lost request':
          return unheard();
        case 'lost reply':
          arrives(fate.there, () => undefined);
          return unheard();
        case 'late commit':
          arrives(fate.after, () => undefined);
          return unheard();
        case 'false conflict':
          process.storeFailedAt = world.now;
          return arrives(fate.there, (value) =>
            process.later(fate.back, () => resolve(asConflict(value)), 'reply'),
          );
      }
    });
  }
}

/** What a client reports that has sent a commit twice, the first time with success. */
const asConflict = <Value>(value: Value): Value =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'ok'
    ? ({ kind: 'conflict' } as Value)
    : value;
