import { describeError } from '../core/outcome.ts';
import { StoreFailure, type Store } from '../core/store.ts';

/**
 * The same store, which counts what is asked of it and knows whether it can be written, for people
 * to see. A call takes hardly longer for it than it takes to add one to a number.
 */
export function tallied(store: Store): Store {
  const calls = new Map<string, number>();
  let trouble: string | null = null;
  /** Only what was stored shows that writing works: a conflict may have been seen by reading. */
  const watched = async <Result>(
    write: Promise<Result>,
    stored: (result: Result) => boolean = () => true,
  ): Promise<Result> => {
    try {
      const result = await write;
      if (stored(result)) trouble = null;
      return result;
    } catch (error) {
      if (error instanceof StoreFailure) trouble = describeError(error).message;
      throw error;
    }
  };
  const count = (op: string): void => void calls.set(op, (calls.get(op) ?? 0) + 1);
  const counted =
    <Args extends readonly unknown[], Result>(op: string, call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      count(op);
      return call(...args);
    };
  return {
    place: store.place,
    calls,
    get trouble() {
      return trouble;
    },
    ...(store.othersWrote && { othersWrote: () => store.othersWrote?.() ?? false }),
    commit(commit, again) {
      count(`commit: ${commit.op}`);
      return watched(store.commit(commit, again), ({ kind }) => kind === 'ok');
    },
    read: counted('read a job', (name) => store.read(name)),
    due: counted('list what is due', (query) => store.due(query)),
    nextActionAfter: counted('ask what is next', (after) => store.nextActionAfter(after)),
    quarantine: counted('set a job aside', (request) => watched(store.quarantine(request), isTrue)),
    getRun: counted('read a run', (id) => store.getRun(id)),
    listRuns: counted('list runs', (query) => store.listRuns(query)),
    saveLateResult: counted('save a late result', (id, late) =>
      watched(store.saveLateResult(id, late)),
    ),
    deleteRuns: counted('delete runs', (ids) =>
      watched(store.deleteRuns(ids), () => ids.length > 0),
    ),
    listJobs: counted('list jobs', (query) => store.listJobs(query)),
    listSpecs: counted('list schedules', (job) => store.listSpecs(job)),
    appendLog: counted('write a log', (chunk) => watched(store.appendLog(chunk))),
    readLog: counted('read a log', (id, from, limit) => store.readLog(id, from, limit)),
    readLogEnd: counted('read a log', (id, query) => store.readLogEnd(id, query)),
    recordAction: counted('record an action', (action) => watched(store.recordAction(action))),
    listActions: counted('list actions', (query) => store.listActions(query)),
    readMeta: counted('read a note', (key) => store.readMeta(key)),
    writeMeta: counted('write a note', (key, value, before) =>
      watched(store.writeMeta(key, value, before), isTrue),
    ),
    time: () => store.time(),
    costs: () => store.costs(),
    close: () => store.close(),
  };
}

const isTrue = (value: boolean): boolean => value;
