import { NO_COST, plus, type Cost } from '../core/cost.ts';
import type { Commit, Committed, QuarantineRequest } from '../core/store.ts';
import { encodeAside, encodeJob, encodeRun, readVersion, versionOf } from './firestore-docs.ts';
import type { Meter } from './firestore-meter.ts';
import type { Rpc } from './firestore-rpc.ts';
import type { StoreTimes } from './firestore-time.ts';
import type { Document, Write } from './firestore-types.ts';
import { actionWrite, changeOf, chunkWrite, specWrite, writeOf } from './firestore-writing.ts';

/** A time that was reckoned may lie ahead of the store's by this; one further ahead is wrong. */
const AHEAD_MS = 5000;

/** Job records and what goes on record with them: one batch, under the version that was read. */
export class Commits {
  readonly #rpc: Rpc;
  readonly #times: StoreTimes;
  readonly #meter: Meter;

  constructor(rpc: Rpc, times: StoreTimes, meter: Meter) {
    this.#rpc = rpc;
    this.#times = times;
    this.#meter = meter;
  }

  async apply(commit: Commit): Promise<Committed> {
    const { name, record, version } = commit;
    if (record.name !== name) {
      throw new Error(`job "${name}" can't have the record of ${record.name}`);
    }
    const now = this.#times.reckoned();
    if (now !== undefined && commit.decidedAt > now + AHEAD_MS) return { kind: 'conflict' };
    const before = version === undefined ? undefined : readVersion(version);
    if (version !== undefined && before === undefined) return { kind: 'conflict' };

    // It grows even where the record's own revision does not: no two states share a version, and
    // a write that changed nothing would leave the time of the last one.
    const rev = Math.max(record.rev, (before?.rev ?? 0) + 1);
    const job: Write = {
      ...writeOf(this.#rpc.nameOf(`jobs/${name}`), encodeJob(record, rev)),
      currentDocument: before ? { updateTime: before.updateTime } : { exists: false },
    };
    const bill = this.#billOf(commit);
    const result = await this.#rpc.commit([job, ...this.#others(commit, bill)]);
    if (result === 'conflict') return { kind: 'conflict' };
    if (result === 'exists') return await this.#whichExists(commit);
    if (result === 'missing') return await this.#whichIsMissing(commit);
    this.#count(commit, bill);
    const time = this.#times.learn(result.commitTime);
    return { kind: 'ok', version: versionOf(rev, result.commitTime), ...time };
  }

  /** All writes but the job's own. */
  #others(commit: Commit, bill: ReadonlyMap<string, Cost>): Write[] {
    const nameOf = (path: string): string => this.#rpc.nameOf(path);
    const costOf = (id: string): Cost => plus(this.#meter.ofRun(id), bill.get(id) ?? NO_COST);
    return [
      ...commit.create.map((run): Write => ({
        ...writeOf(nameOf(`runs/${run.id}`), encodeRun({ ...run, cost: costOf(run.id) })),
        currentDocument: { exists: false },
      })),
      ...commit.update.map(({ id, set }) =>
        changeOf(nameOf(`runs/${id}`), encodeRun({ ...set, cost: costOf(id) })),
      ),
      ...commit.specs.map((spec) => specWrite(this.#rpc, spec)),
      ...commit.logs.map((chunk) => chunkWrite(this.#rpc, chunk)),
      ...commit.actions.map((action) => actionWrite(this.#rpc, action)),
    ];
  }

  /** What each run is charged for this commit: the job's part goes to the run it is about. */
  #billOf({ about, reads, create, update, logs }: Commit): Map<string, Cost> {
    const bill = new Map<string, Cost>();
    const charge = (id: string, cost: Partial<Cost>): void =>
      void bill.set(id, plus(bill.get(id) ?? NO_COST, cost));
    if (about !== null) charge(about, { reads, writes: 1 });
    for (const { id } of [...create.filter(({ range }) => range === null), ...update]) {
      charge(id, { writes: 1 });
    }
    for (const { runId } of logs) charge(runId, { writes: 1 });
    return bill;
  }

  #count(commit: Commit, bill: ReadonlyMap<string, Cost>): void {
    const { op, create, update, specs, logs, actions } = commit;
    this.#meter.count(op, { writes: 1 + create.length + update.length + specs.length });
    if (logs.length > 0) this.#meter.count('log', { writes: logs.length });
    if (actions.length > 0) this.#meter.count('action', { writes: actions.length });
    for (const [id, cost] of bill) this.#meter.charge(id, cost);
  }

  /** A commit is sent once, so what exists was made by another. */
  async #whichExists({ op, name, version, create }: Commit): Promise<Committed> {
    const [only, more] = create;
    if (version !== undefined && only !== undefined && more === undefined) {
      return { kind: 'exists', runIds: [only.id] };
    }
    if (create.length === 0) return { kind: 'conflict' };
    const [job, ...runs] = await this.#look(op, name, create);
    if (stampOf(job) !== version) return { kind: 'conflict' };
    const runIds = create.filter((_, i) => runs[i] !== undefined).map(({ id }) => id);
    return runIds.length > 0 ? { kind: 'exists', runIds } : { kind: 'conflict' };
  }

  async #whichIsMissing({ op, name, version, update }: Commit): Promise<Committed> {
    const [job, ...runs] = await this.#look(op, name, update);
    if (stampOf(job) !== version) return { kind: 'conflict' };
    const runIds = update.filter((_, i) => runs[i] === undefined).map(({ id }) => id);
    return runIds.length > 0 ? { kind: 'missing', runIds } : { kind: 'conflict' };
  }

  async #look(op: string, name: string, runs: readonly { readonly id: string }[]) {
    const paths = [`jobs/${name}`, ...runs.map(({ id }) => `runs/${id}`)];
    const names = paths.map((path) => this.#rpc.nameOf(path));
    const { documents } = await this.#rpc.get(names);
    this.#meter.count(op, { reads: names.length });
    return documents;
  }

  async setAside({ name, version, until, problem }: QuarantineRequest): Promise<boolean> {
    const before = readVersion(version);
    if (before === undefined) return false;
    const aside = encodeAside(before.rev + 1, until, problem);
    const result = await this.#rpc.commit([
      {
        ...changeOf(this.#rpc.nameOf(`jobs/${name}`), aside),
        currentDocument: { updateTime: before.updateTime },
      },
    ]);
    if (typeof result === 'string') return false;
    this.#meter.count('quarantine', { writes: 1 });
    return true;
  }
}

const stampOf = (document: Document | undefined) => {
  if (document === undefined) return undefined;
  const rev = document.fields?.['rev']?.integerValue;
  return versionOf(Number(rev?.toString() ?? 0), document.updateTime ?? {});
};
