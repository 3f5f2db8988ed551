import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkBackup } from '../../server/stores/sqlite-backup.ts';
import { migrate, schemaVersion, STEPS } from '../../server/stores/sqlite-schema.ts';
import { sealDatabase, unsealDatabase } from '../../server/stores/sqlite-seal.ts';
import { action, commit, jobRecord, run } from '../builders.ts';
import { TEST_START } from '../test-clock.ts';
import { byHand, file, folder, openStore } from './sqlite-fixture.ts';
import { openDatabase } from '../../server/stores/sqlite-file.ts';

async function filled(path: string): Promise<void> {
  const store = openStore({ path });
  const create = Array.from({ length: 50 }, (_, i) =>
    run({ id: `a@${i}`, output: 'x'.repeat(500) }),
  );
  await store.commit(commit(jobRecord(), { create }));
  await store.close();
}

/** What opening says, when it leaves the file as it was, byte for byte. */
function refusalOf(path: string): string {
  const before = readFileSync(path);
  try {
    openStore({ path });
  } catch (error) {
    const same = readFileSync(path).equals(before);
    return same && error instanceof Error ? error.message : 'the file was changed';
  }
  return 'it was opened';
}

test('the file is made with its folder, and is for its owner only', () => {
  const path = join(folder(), 'deep', 'er', 'punctual.db');

  openStore({ path });

  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
});

test.each([
  ['are safe against a power cut: a write-ahead log, synced at each', undefined, 2],
  ['are safe against the end of the process alone, if that is asked for', 'normal', 1],
] as const)('commits %s', (_what, durability, synchronous) => {
  const db = openDatabase(file(), durability && { durability });

  expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous });
  db.close();
});

test('a file that is no database is refused and left alone', () => {
  const path = file();
  writeFileSync(path, 'Dear diary, '.repeat(1000));

  expect(refusalOf(path)).toMatch(/punctual\.db is not a Punctual database; name another file/);
});

test.for(['DELETE', 'WAL'])("another program's database (%s) is refused and left alone", (mode) => {
  const path = file();
  byHand(path, `PRAGMA journal_mode = ${mode}; CREATE TABLE recipes (name TEXT)`);

  expect(refusalOf(path)).toMatch(/punctual\.db is not a Punctual database but another program's/);
});

test('a database of a newer version is refused and left alone', async () => {
  const path = file();
  await filled(path);
  byHand(path, 'PRAGMA user_version = 7');

  expect(refusalOf(path)).toMatch(
    /newer version \(schema 7; this program knows 3\): start that version/,
  );
});

test('a database of a newer version whose log was never folded in is refused too', async () => {
  const path = file();
  await filled(path);
  const newer = new DatabaseSync(path);
  newer.exec('PRAGMA user_version = 7');

  expect(refusalOf(path)).toMatch(/newer version \(schema 7/);
  newer.close();
});

test('a damaged database is refused with the way out, and left alone', async () => {
  const path = file();
  await filled(path);
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 4096, 4096 * 6);
  writeFileSync(path, bytes);

  expect(refusalOf(path)).toMatch(/punctual\.db is damaged; restore a backup/);
});

test('a database that was cut short is refused and left alone', async () => {
  const path = file();
  await filled(path);
  writeFileSync(path, readFileSync(path).subarray(0, 4096 * 3));

  expect(refusalOf(path)).toMatch(/punctual\.db is damaged; restore a backup/);
});

test('an empty file is made a database', async () => {
  const path = file();
  writeFileSync(path, '');

  const store = openStore({ path });

  expect(await store.commit(commit(jobRecord()))).toMatchObject({ kind: 'ok' });
});

test('a folder in the place of the file is refused', () => {
  const path = folder();

  expect(() => openStore({ path })).toThrow(/is not a file; name a file/);
});

test.for([
  ['the file', 0o444, 0o777],
  ['its folder', 0o666, 0o555],
  ['the file and its folder', 0o444, 0o555],
] as const)('where %s can not be written, opening says so', async ([, fileMode, folderMode]) => {
  const path = file();
  await filled(path);
  chmodSync(path, fileMode);
  chmodSync(dirname(path), folderMode);
  const script = fileURLToPath(new URL('sqlite-child.ts', import.meta.url));

  const { stdout } = spawnSync(process.execPath, [script, 'nobody', path], { encoding: 'utf8' });

  chmodSync(dirname(path), 0o755);
  expect(stdout).toMatch(/^the database .*punctual\.db can't be written: EACCES.*its folder\n$/);
});

test('an older database is brought up to date step by step, with all that is in it', async () => {
  const path = file();
  await filled(path);
  const db = new DatabaseSync(path);

  migrate(db, [...STEPS, 'ALTER TABLE jobs ADD COLUMN colour TEXT', 'CREATE TABLE extra (a)']);

  expect(schemaVersion(db)).toBe(STEPS.length + 2);
  expect(db.prepare('SELECT name, colour FROM jobs').get()).toEqual({
    name: 'nightly-report',
    colour: null,
  });
  expect(db.prepare('SELECT count(*) AS n FROM runs').get()).toEqual({ n: 50 });
  db.close();
});

test('a database of the first version opens with its rows, sealed or not', async () => {
  const path = file();
  const old = new DatabaseSync(path);
  migrate(old, STEPS.slice(0, 1));
  const insert = 'INSERT INTO jobs (name, rev, next_action_at, doc) VALUES (?, 1, NULL, ?)';
  for (const name of ['a', 'b']) {
    const { days: _unknown, ...record } = jobRecord({ name });
    old.prepare(insert).run(name, JSON.stringify(record));
  }
  for (const one of [action(), action({ id: 'action-2', at: 5, job: null })]) {
    const { before: _b, after: _a, ...known } = one;
    const doc = JSON.stringify(known);
    old.prepare('INSERT INTO actions (id, at, doc) VALUES (?, ?, ?)').run(one.id, one.at, doc);
  }
  old.close();
  sealDatabase(path, { to: 'elsewhere', at: 'noon' });

  const sealed = openStore({ path, sealed: true });
  await sealed.close();
  unsealDatabase(path);
  const store = openStore({ path });
  const namesSince = async (changedSince: number): Promise<string[]> =>
    (await store.listJobs({ limit: 9, changedSince })).map(({ name }) => name);

  // When they were last written nobody knows: they count as changed until they are written.
  expect(await namesSince(TEST_START + 1000)).toEqual(['a', 'b']);
  expect(await store.read('a')).toMatchObject({ problem: undefined, version: '1' });
  await store.commit(commit(jobRecord({ name: 'a', rev: 2 }), { version: '1' }));
  expect(await namesSince(TEST_START + 1000)).toEqual(['b']);
  expect(await namesSince(TEST_START - 1000)).toEqual(['b', 'a']);
  const { actions } = await store.listActions({ limit: 9, job: 'nightly-report' });
  expect(actions.map(({ id }) => id)).toEqual(['action-1']);
});

test('a step that fails leaves nothing of itself, and those before it stand', () => {
  const db = new DatabaseSync(':memory:');
  const broken = 'CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)';

  expect(() => migrate(db, ['CREATE TABLE a (x)', broken, 'CREATE TABLE c (x)'])).toThrow(
    /nowhere/,
  );

  expect(schemaVersion(db)).toBe(1);
  expect(db.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'a' }]);
  migrate(db, ['CREATE TABLE a (x)', 'CREATE TABLE b (x)']);
  expect(schemaVersion(db)).toBe(2);
});

test('a backup is a database of its own, as of one moment, and only there when complete', async () => {
  const path = file();
  const to = join(folder(), 'copies', 'punctual.db');
  const store = openStore({ path });
  await store.commit(commit(jobRecord({ streak: 3 }), { create: [run()] }));

  await store.backup(to);

  const copy = openStore({ path: to });
  expect((await copy.read('nightly-report')).record?.streak).toBe(3);
  expect(await copy.getRun(run().id)).toEqual(run());
  expect(statSync(to).mode & 0o777).toBe(0o600);
  expect(existsSync(`${to}.part-${process.pid}`)).toBe(false);
  await store.ping();
});

test('a copy is one file that can be checked, and a damaged one is found out', async () => {
  const to = join(folder(), 'punctual.db');
  const store = openStore({ path: file() });
  const create = Array.from({ length: 50 }, (_, i) => run({ id: `a@${i}` }));
  await store.commit(commit(jobRecord(), { create }));
  await store.backup(to);

  const whole = checkBackup(to);
  const bytes = readFileSync(to);
  writeFileSync(to, bytes.fill(0xa5, 4096 * 4, 4096 * 6));

  expect(whole).toEqual({ runs: 50 });
  expect(readdirSync(dirname(to))).toEqual(['punctual.db']);
  expect(() => checkBackup(to)).toThrow(/punctual\.db is not whole: .*; make it again/s);
});

test('a backup that can not be written says so and leaves nothing', async () => {
  const store = openStore({ path: file() });

  const failed = store.backup('/dev/null/punctual.db');

  await expect(failed).rejects.toThrow(/was not copied to \/dev\/null\/punctual\.db/);
});
