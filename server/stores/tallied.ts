import type { Store } from '../core/store.ts';

/**
 * The same store, which counts what is asked of it, for people to see. A call takes no longer for
 * it than it takes to add one to a number.
 */
export function tallied(store: Store): Store {
  const calls = new Map<string, number>();
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
    commit(commit) {
      count(`commit: ${commit.op}`);
      return store.commit(commit);
    },
    read: counted('read a job', (name) => store.read(name)),
    due: counted('list what is due', (query) => store.due(query)),
    nextActionAfter: counted('ask what is next', (after) => store.nextActionAfter(after)),
    quarantine: counted('set a job aside', (request) => store.quarantine(request)),
    getRun: counted('read a run', (id) => store.getRun(id)),
    listRuns: counted('list runs', (query) => store.listRuns(query)),
    saveLateResult: counted('save a late result', (id, late) => store.saveLateResult(id, late)),
    deleteRuns: counted('delete runs', (ids) => store.deleteRuns(ids)),
    listJobs: counted('list jobs', (query) => store.listJobs(query)),
    listSpecs: counted('list schedules', (job) => store.listSpecs(job)),
    appendLog: counted('write a log', (chunk) => store.appendLog(chunk)),
    readLog: counted('read a log', (id, from, limit) => store.readLog(id, from, limit)),
    readLogEnd: counted('read a log', (id, query) => store.readLogEnd(id, query)),
    recordAction: counted('record an action', (action) => store.recordAction(action)),
    listActions: counted('list actions', (query) => store.listActions(query)),
    readMeta: counted('read a note', (key) => store.readMeta(key)),
    writeMeta: counted('write a note', (key, value, before) => store.writeMeta(key, value, before)),
    time: () => store.time(),
    costs: () => store.costs(),
    close: () => store.close(),
  };
}
