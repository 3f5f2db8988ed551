import { createHash } from 'node:crypto';
import { expiryOf } from '../core/draft.ts';
import { tokensKey } from '../core/meta.ts';
import type { ActionRecord, JobRecord, LogChunk, Run } from '../core/records.ts';
import type { ActionPage, LoadedJob, RunPage, Store } from '../core/store.ts';
import { isoInstant } from '../core/time.ts';
import type { Importer } from './firestore-import.ts';

/*
 * Moving house: all that one store holds, into another that is empty. History goes first and the
 * jobs' own records last, so that nothing can run in the new place before all is there. It may be
 * interrupted anywhere and begun again: it goes on from the last page that is noted as moved, and
 * what is written twice is there once.
 */

export interface Moving {
  /** Takes no more changes by now. */
  readonly from: Store;
  readonly to: Store;
  readonly importer: Importer;
  /** Names the source, so that an interrupted move is gone on with by the same only. */
  readonly source: string;
  readonly progress: (done: Progress) => void;
}

export interface Progress {
  readonly what: 'runs' | 'jobs' | 'checked';
  readonly done: number;
}

export interface Moved {
  readonly jobs: number;
  readonly runs: number;
  readonly logChunks: number;
  readonly actions: number;
  /** Of all runs with their logs, in either store: the same, or `moveStore` would have thrown. */
  readonly checksum: string;
}

const NOTE = 'moving';
const PAGE = 200;
const JOBS_LIMIT = 20_000;
const CHUNKS_LIMIT = 100_000;

interface Note {
  readonly source: string;
  readonly cursor: string | null;
  readonly runs: number;
  readonly historyIsThere: boolean;
  readonly done: boolean;
}

/** Moves everything, checks that it arrived, and throws what is wrong in words. */
export async function moveStore(moving: Moving): Promise<Moved> {
  const { from, to } = moving;
  const jobs = await from.listJobs({ limit: JOBS_LIMIT });
  await assertMovable(moving, jobs);
  const note = await begin(moving, jobs);
  if (!note.historyIsThere) await moveHistory(moving, jobs, note);
  let done = 0;
  for (const { record } of jobs) {
    if (record === undefined) continue;
    await moveJob(moving, record);
    moving.progress({ what: 'jobs', done: (done += 1) });
  }
  const moved = await compare(moving, jobs);
  for (const namespace of namespacesOf(jobs)) {
    const tokens = await from.readMeta(tokensKey(namespace));
    if (tokens !== undefined) await putMeta(to, tokensKey(namespace), tokens.value);
    await putMeta(to, registryKey(namespace), {});
  }
  await putMeta(to, NOTE, { ...note, historyIsThere: true, done: true });
  return moved;
}

/** The job's record as it goes on: with fencing tokens larger than any that was ever given. */
async function moveJob({ to, importer }: Moving, record: JobRecord): Promise<void> {
  const { storeNow } = await to.time();
  const moved = { ...record, fence: Math.max(record.fence, storeNow) + 1 };
  if (await importer.putJob(moved)) return;
  const { record: there } = await to.read(record.name);
  // An earlier try may have come as far.
  if (there !== undefined && same(there, { ...moved, fence: there.fence })) return;
  throw new Error(`the destination has another job "${record.name}" already: is a server running?`);
}

const same = (a: JobRecord, b: JobRecord): boolean =>
  canonical({ ...a, rev: 0 }) === canonical({ ...b, rev: 0 });

async function assertMovable({ to }: Moving, jobs: readonly LoadedJob[]): Promise<void> {
  const { storeNow } = await to.time();
  const problems = jobs.flatMap(({ name, record, problem }) => {
    if (record === undefined) return [`its record can't be used: ${problem}`].map(named(name));
    const live = Object.values(record.active).find((one) => storeNow < expiryOf(one, storeNow));
    const until = live && isoInstant(expiryOf(live, storeNow) - 1);
    return [
      ...(live ? [`run ${live.runId} may still be at work until ${until}`] : []),
      ...(record.watermark > storeNow
        ? [`it is decided up to ${isoInstant(record.watermark)}, which is yet to come there`]
        : []),
    ].map(named(name));
  });
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

const named = (name: string) => (problem: string) => `job "${name}": ${problem}`;

/** Where an earlier try got to; or the destination, if it is empty, is marked as being filled. */
async function begin({ to, source }: Moving, jobs: readonly LoadedJob[]): Promise<Note> {
  const found = await to.readMeta(NOTE);
  const note = readNote(found?.value);
  if (note?.done === true) throw new Error(`${note.source} was moved there already, and whole`);
  if (note !== undefined && note.source === source) return note;
  if (note !== undefined) {
    throw new Error(`the destination is being filled from ${note.source} already`);
  }
  const [job] = await to.listJobs({ limit: 1 });
  const { runs } = await to.listRuns({ limit: 1 });
  if (job !== undefined || runs.length > 0) {
    throw new Error('the destination is not empty: name a new database');
  }
  const fresh = { source, cursor: null, runs: 0, historyIsThere: false, done: false };
  await putMeta(to, NOTE, fresh);
  // A server that starts there meanwhile reads this first, and does not start.
  for (const namespace of namespacesOf(jobs)) {
    await putMeta(to, registryKey(namespace), { moving: source });
  }
  return fresh;
}

function readNote(value: unknown): Note | undefined {
  const { source, cursor, runs, historyIsThere, done }: Record<string, unknown> = Object(value);
  if (typeof source !== 'string' || typeof runs !== 'number') return undefined;
  const known = typeof cursor === 'string' ? cursor : null;
  const flags = { historyIsThere: historyIsThere === true, done: done === true };
  return { source, cursor: known, runs, ...flags };
}

const namespacesOf = (jobs: readonly LoadedJob[]): ReadonlySet<string> =>
  new Set(jobs.flatMap(({ record }) => record?.namespace ?? []));

const registryKey = (namespace: string): string => `registry:${namespace}`;

async function putMeta(to: Store, key: string, value: unknown): Promise<void> {
  const version = (await to.readMeta(key))?.version;
  if (await to.writeMeta(key, value, version)) return;
  throw new Error('somebody else writes to the destination: is a server running there?');
}

async function moveHistory(moving: Moving, jobs: readonly LoadedJob[], note: Note): Promise<void> {
  const { from, to, importer, progress } = moving;
  let { cursor, runs: done } = note;
  do {
    const page: RunPage = await from.listRuns({ limit: PAGE, ...(cursor && { cursor }) });
    const logs = await logsOf(from, page.runs);
    await importer.put({ runs: page.runs.map(whole), logs, specs: [], actions: [] });
    done += page.runs.length;
    cursor = page.cursor ?? null;
    await putMeta(to, NOTE, { ...note, cursor, runs: done });
    progress({ what: 'runs', done });
  } while (cursor !== null);
  for (const { name } of jobs) {
    const specs = await from.listSpecs(name);
    await importer.put({ runs: [], logs: [], specs, actions: [] });
  }
  for await (const actions of actionsOf(from)) {
    await importer.put({ runs: [], logs: [], specs: [], actions });
  }
  await putMeta(to, NOTE, { ...note, cursor: null, runs: done, historyIsThere: true });
}

/** All actions of a store, page by page. */
async function* actionsOf(store: Store): AsyncGenerator<readonly ActionRecord[]> {
  let cursor: string | undefined;
  do {
    const page: ActionPage = await store.listActions({ limit: PAGE, ...(cursor && { cursor }) });
    yield page.actions;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Records of before a field was known go on with what it is now. */
const whole = (run: Run): Run => ({ ...run, cost: run.cost ?? null });

async function logsOf(store: Store, runs: readonly Run[]): Promise<LogChunk[]> {
  const all: LogChunk[] = [];
  for (const { id, range } of runs) {
    if (range === null) all.push(...(await store.readLog(id, 0, CHUNKS_LIMIT)));
  }
  return all;
}

/** Reads both stores from end to end, and finds the same in them. */
async function compare(moving: Moving, jobs: readonly LoadedJob[]): Promise<Moved> {
  const { from, to, progress } = moving;
  const [there, here] = [await tally(from, jobs, () => undefined), await tally(to, jobs, progress)];
  for (const what of ['runs', 'logChunks', 'specs', 'actions', 'checksum'] as const) {
    if (there[what] === here[what]) continue;
    throw new Error(
      `the copy is not the same: ${what} is ${here[what]} and was ${there[what]}. ` +
        'Empty the destination, and begin anew',
    );
  }
  const { runs, logChunks, actions, checksum } = here;
  return { jobs: jobs.length, runs, logChunks, actions, checksum };
}

async function tally(store: Store, jobs: readonly LoadedJob[], progress: Moving['progress']) {
  const sum = new Checksum();
  let [runs, logChunks, specs, actions] = [0, 0, 0, 0];
  let cursor: string | undefined;
  do {
    const page: RunPage = await store.listRuns({ limit: PAGE, ...(cursor && { cursor }) });
    const logs = await logsOf(store, page.runs);
    for (const record of [...page.runs.map(whole), ...logs]) sum.add(record);
    runs += page.runs.length;
    logChunks += logs.length;
    cursor = page.cursor;
    progress({ what: 'checked', done: runs });
  } while (cursor !== undefined);
  for (const { name } of jobs) {
    const found = await store.listSpecs(name);
    found.forEach((spec) => sum.add(spec));
    specs += found.length;
  }
  for await (const page of actionsOf(store)) {
    page.forEach((action) => sum.add(action));
    actions += page.length;
  }
  return { runs, logChunks, specs, actions, checksum: sum.text() };
}

/** A sum over records that does not ask in which order they come. */
class Checksum {
  #sum = 0n;

  add(record: object): void {
    const digest = createHash('sha256').update(canonical(record)).digest('hex');
    this.#sum = BigInt.asUintN(128, this.#sum + BigInt(`0x${digest.slice(0, 32)}`));
  }

  text(): string {
    return this.#sum.toString(16).padStart(32, '0');
  }
}

/** JSON with its keys in order, and text as it can be sent. */
const canonical = (record: object): string =>
  JSON.stringify(record, (_key, part: unknown) => {
    if (typeof part === 'string') return part.toWellFormed();
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
