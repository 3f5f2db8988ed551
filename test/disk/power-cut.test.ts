import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../server/config.ts';
import { systemClock } from '../../server/process/clock.ts';
import { openStore } from '../../server/stores/open.ts';
import { tempFolder, until } from '../process/server.ts';
import { contradictions, runsOf } from './contradictions.ts';
import { startWithin } from './server.ts';
import { busyEnv, commitsIn, frameAt, framesOf, takeSnapshot, type Snapshot } from './snapshot.ts';

/*
 * What a power cut may leave: the log of the database ends anywhere, or is torn, or was half folded
 * into the file. The tail may be lost, as the disk did not keep it; what is there stands.
 */

/** In memory where that is possible: thousands of files are written. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

let snapshot: Snapshot;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(PLACE, 'punctual-cuts-'));
  snapshot = await takeSnapshot(folder);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lay(name: string, { db, wal }: Snapshot): string {
  const path = join(folder, name);
  for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
  writeFileSync(path, db);
  writeFileSync(`${path}-wal`, wal);
  return path;
}

interface Looked {
  /** What is wrong, if anything. */
  readonly wrong: readonly string[];
  /** The revision of each job: it grows with each commit. */
  readonly revisions: ReadonlyMap<string, number>;
  readonly runs: number;
  /** Of all that is stored, but for the clock that each opening writes. */
  readonly print: string;
}

const known = new Map<string, Looked>();

/**
 * Opens a database as a start of the service does, and holds it against itself. What was seen
 * before, to the last byte, is as it was.
 */
async function look(path: string): Promise<Looked> {
  const config = readConfig({ PUNCTUAL_DB: path, PUNCTUAL_LEASE_MS: '2000' }, '/', 0);
  const store = await openStore(config, systemClock, () => undefined);
  try {
    const print = printOf(path);
    const before = known.get(print);
    if (before !== undefined) return before;
    const wrong = await contradictions(store);
    const jobs = await store.listJobs({ limit: 100 });
    const revisions = new Map(jobs.map(({ name, record }) => [name, record?.rev ?? NaN]));
    const runs = (await Promise.all(jobs.map(({ name }) => runsOf(store, name)))).flat().length;
    const looked = { wrong: [...wrong, ...byHand(path)], revisions, runs, print };
    known.set(print, looked);
    return looked;
  } finally {
    await store.close();
  }
}

const TABLES = ['jobs', 'runs', 'specs', 'logs', 'actions', 'meta'];

/** Throws where the file is not whole. */
function printOf(path: string): string {
  const db = new DatabaseSync(path, { readOnly: true });
  const check = db.prepare('PRAGMA integrity_check').get()?.['integrity_check'];
  if (check !== 'ok') throw new Error(`${path} is not whole: ${String(check)}`);
  const hash = createHash('sha256');
  for (const table of TABLES) {
    for (const row of db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all()) {
      hash.update(JSON.stringify(row));
    }
  }
  db.close();
  return hash.digest('hex');
}

/** What only SQL can ask. */
function byHand(path: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const orphans = db
    .prepare('SELECT DISTINCT run_id FROM logs WHERE run_id NOT IN (SELECT id FROM runs)')
    .all();
  const strangers = db
    .prepare('SELECT id FROM runs WHERE job NOT IN (SELECT name FROM jobs)')
    .all();
  db.close();
  return [
    ...orphans.map((row) => `a log of ${String(row['run_id'])}, which is not there`),
    ...strangers.map((row) => `${String(row['id'])} is of a job that is not there`),
  ];
}

/** Where the later of two moments knows less than the earlier. */
const forgotten = (before: Looked, after: Looked): string[] =>
  [...before.revisions].flatMap(([name, rev]) =>
    (after.revisions.get(name) ?? -1) >= rev ? [] : [`${name} went back from ${rev}`],
  );

const at = (wal: Buffer): Snapshot => ({ db: snapshot.db, wal });

describe('a log that a power cut ended', () => {
  test('at any frame is opened, says nothing against itself, and knows what came before', async () => {
    const { wal } = snapshot;
    const wrong: string[] = [];
    let before: Looked | undefined;
    let runs = 0;

    for (let n = 0; n <= framesOf(wal); n += 1) {
      const seen = await look(lay('cut.db', at(wal.subarray(0, frameAt(n)))));
      const lost = before === undefined ? [] : forgotten(before, seen);
      wrong.push(...[...seen.wrong, ...lost].map((what) => `frame ${n}: ${what}`));
      before = seen;
      runs = seen.runs;
    }

    expect(wrong).toEqual([]);
    // It was about something.
    expect(framesOf(wal)).toBeGreaterThan(150);
    expect(runs).toBeGreaterThan(10);
  }, 120_000);

  test('within a frame, or within its own head, loses that frame and nothing before', async () => {
    const { wal } = snapshot;
    const wrong: string[] = [];
    const cuts = [0, 1, 31, ...everyNth(framesOf(wal), 12).flatMap((n) => cutsIn(n))];

    for (const cut of cuts) {
      const whole = await look(lay('whole.db', at(wal.subarray(0, frameAt(framesUpTo(cut))))));
      const seen = await look(lay('cut.db', at(wal.subarray(0, cut))));
      wrong.push(...seen.wrong.map((what) => `byte ${cut}: ${what}`));
      if (!same(whole, seen)) wrong.push(`byte ${cut}: is not what its whole frames are`);
    }

    expect(wrong).toEqual([]);
  }, 120_000);

  test('with a damaged frame is good up to there, and what follows is not taken for true', async () => {
    const { wal } = snapshot;
    const wrong: string[] = [];

    for (const n of everyNth(framesOf(wal), 15)) {
      const whole = await look(lay('whole.db', at(wal.subarray(0, frameAt(n)))));
      for (const byte of [0, 9, 24, 2000, 4119]) {
        const damaged = Buffer.from(wal);
        damaged[frameAt(n) + byte] = (damaged[frameAt(n) + byte] ?? 0) ^ 0x10;
        const seen = await look(lay('damaged.db', at(damaged)));
        wrong.push(...seen.wrong.map((what) => `frame ${n}, byte ${byte}: ${what}`));
        if (!same(whole, seen)) wrong.push(`frame ${n}, byte ${byte}: is not what came before it`);
      }
    }

    expect(wrong).toEqual([]);
  }, 120_000);
});

test('a log that was half folded into the file when the power went loses nothing', async () => {
  const { db, wal } = snapshot;
  const whole = await look(lay('whole.db', snapshot));
  const folded = foldedOf(snapshot);
  const wrong: string[] = [];

  for (const size of everyNth(Math.ceil(folded.length / 512), 16).map((n) => n * 512)) {
    const torn = Buffer.concat([folded.subarray(0, size), db.subarray(size)]);
    const seen = await look(lay('torn.db', { db: torn, wal }));
    wrong.push(...seen.wrong.map((what) => `after ${size} bytes: ${what}`));
    if (!same(whole, seen)) wrong.push(`after ${size} bytes: something is lost`);
  }

  expect(wrong).toEqual([]);
  expect(folded.equals(db)).toBe(false);
}, 120_000);

test('servers go on from logs that were cut anywhere, with every occurrence on record', async () => {
  const commits = commitsIn(snapshot.wal);

  const all = await Promise.all([0.2, 0.6, 1].map((share) => goOn(cutAt(commits, share))));

  expect(all.flatMap(({ wrong }) => wrong)).toEqual([]);
  // Something was at work when the power went, and had to be found out.
  expect(all.reduce((sum, { left }) => sum + left, 0)).toBeGreaterThan(0);
}, 120_000);

/** Of the frames of all commits the first so many, as a share. */
const cutAt = (commits: readonly number[], share: number): Buffer =>
  snapshot.wal.subarray(0, frameAt((commits[Math.ceil(commits.length * share) - 1] ?? 0) + 1));

/** Starts a server on a log until it has found what was lost, and has done new work. */
async function goOn(wal: Buffer) {
  const place = tempFolder();
  const path = join(place, 'punctual.db');
  writeFileSync(path, snapshot.db);
  writeFileSync(`${path}-wal`, wal);
  const server = await startWithin([], busyEnv(place));
  const isOver = async (id: string): Promise<boolean> => (await server.run(id)).state !== 'running';
  const before = new DatabaseSync(path, { readOnly: true });
  const left = before.prepare("SELECT id FROM runs WHERE state = 'running'").all();
  before.close();

  for (const { id } of left) await until(() => isOver(String(id)), 30_000);
  await until(async () => (await server.runs('job=quick&state=succeeded')).length > 1, 30_000);
  await server.end('SIGTERM');
  const { wrong } = await look(path);
  return { wrong, left: left.length };
}

const framesUpTo = (cut: number): number => Math.max(0, framesOf(snapshot.wal.subarray(0, cut)));

const cutsIn = (frame: number): number[] =>
  [1, 23, 24, 1000, 4119].map((byte) => frameAt(frame) + byte);

/** About so many of the numbers below a limit, in even steps. */
const everyNth = (limit: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.floor((i * limit) / count));

const same = (a: Looked, b: Looked): boolean => a.print === b.print;

/** The file with all of its log in it. */
function foldedOf(given: Snapshot): Buffer {
  const path = lay('folded.db', given);
  const db = new DatabaseSync(path);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  return readFileSync(path);
}
