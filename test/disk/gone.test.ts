import { copyFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commit, jobRecord, logChunk, run } from '../builders.ts';
import { tempFolder, until, type RunJson } from '../process/server.ts';
import { openStore } from '../stores/sqlite-fixture.ts';
import { contradictions } from './contradictions.ts';
import { startWithin } from './server.ts';
import { busyEnv } from './snapshot.ts';

/** Files that are deleted or replaced under who has them open. */

/** A store with one commit that stands in its log alone, and what it was given. */
async function filled(path: string) {
  const store = openStore({ path });
  const committed = await store.commit(commit(jobRecord({ streak: 3 }), { create: [run()] }));
  if (committed.kind !== 'ok') throw new Error(committed.kind);
  return { store, version: committed.version };
}

describe.each(['-wal', '-shm'])('what stands beside a database (%s)', (end) => {
  test('and was deleted keeps anything more from being written, and loses nothing', async () => {
    const path = join(tempFolder(), 'punctual.db');
    const { store, version } = await filled(path);

    rmSync(path + end);
    const refused = store.commit(commit(jobRecord({ rev: 9 }), { version }));

    await expect(refused).rejects.toMatchObject({
      name: 'StoreUnavailable',
      why: 'its file was deleted or replaced',
    });
    await expect(refused).rejects.toThrow(`${path}${end} was deleted or replaced while`);
    await expect(store.appendLog(logChunk())).rejects.toThrow(/restart this server/);
    // Reading does no harm: people may look.
    expect((await store.read('nightly-report')).version).toBe(version);
    // As after a kill: nothing is closed, and what is left on the disk is all there is.
    const copy = join(tempFolder(), 'punctual.db');
    copyFileSync(path, copy);
    const again = openStore({ path: copy });
    expect((await again.read('nightly-report')).record?.streak).toBe(3);
    expect(await again.getRun(run().id)).toEqual(run());
  });

  test('and was replaced keeps anything more from being written', async () => {
    const path = join(tempFolder(), 'punctual.db');
    const { store, version } = await filled(path);
    const other = `${path}.other`;

    copyFileSync(path + end, other);
    renameSync(other, path + end);
    const refused = store.commit(commit(jobRecord({ rev: 9 }), { version }));

    await expect(refused).rejects.toThrow(`${path}${end} was deleted or replaced while`);
  });
});

test('a database that is replaced by an older copy is written no more', async () => {
  const path = join(tempFolder(), 'punctual.db');
  const copy = `${path}.copy`;
  const { store, version } = await filled(path);
  await store.backup(copy);
  const newer = await store.commit(commit(jobRecord({ rev: 2, streak: 4 }), { version }));
  if (newer.kind !== 'ok') throw new Error(newer.kind);

  renameSync(copy, path);
  const refused = store.commit(commit(jobRecord({ rev: 3 }), { version: newer.version }));

  await expect(refused).rejects.toThrow(/punctual\.db was deleted or replaced while it was open/);
});

test('where a file can not be looked at for a moment, a write waits for better times', async () => {
  const folder = join(tempFolder(), 'data');
  const { store, version } = await filled(join(folder, 'punctual.db'));
  const write = () => store.commit(commit(jobRecord({ rev: 2, streak: 4 }), { version }));

  renameSync(folder, `${folder}-away`);
  symlinkSync(folder, folder);

  const refusal = { name: 'StoreUnavailable', why: 'its file can not be used' };
  await expect(write()).rejects.toMatchObject(refusal);
  await expect(store.read('nightly-report')).rejects.toMatchObject(refusal);
  rmSync(folder);
  renameSync(`${folder}-away`, folder);
  expect(await write()).toMatchObject({ kind: 'ok' });
});

test('a database that is overwritten in its place is called damaged, and so it stays', async () => {
  const path = join(tempFolder(), 'punctual.db');
  const create = Array.from({ length: 200 }, (_, i) =>
    run({ id: `a@${i}`, output: 'x'.repeat(500) }),
  );
  const first = openStore({ path });
  await first.commit(commit(jobRecord(), { create }));
  await first.close();
  const store = openStore({ path });

  writeFileSync(path, Buffer.alloc(40 * 4096, 0xa5), { flag: 'r+' });
  const looking = store.listRuns({ limit: 500 });

  await expect(looking).rejects.toMatchObject({
    name: 'StoreUnavailable',
    why: 'its file is damaged',
  });
  await expect(looking).rejects.toThrow(/punctual\.db is damaged; restore a backup/);
});

test('a server whose log was deleted says so, and started again it has everything', async () => {
  const folder = tempFolder();
  const env = busyEnv(folder);
  const path = join(folder, 'punctual.db');
  const first = await startWithin([], env);
  await until(async () => (await first.runs('job=quick&state=succeeded')).length > 1, 30_000);

  rmSync(`${path}-wal`);
  const health = await until(async () => {
    const { status } = await first.ask('/healthz');
    return status === 503 && status;
  }, 30_000);
  const system = await first.ask('/system');
  const known = await first.runs('state=succeeded');
  const jobs = await first.ask('/');
  const stopped = await first.end('SIGTERM');
  const second = await startWithin([], env);
  const kept = await Promise.all(known.map(({ id }) => second.run(id)));
  await second.end('SIGTERM');
  const store = openStore({ path });

  expect([health, jobs.status, stopped]).toEqual([503, 200, 0]);
  expect(jobs.text).toContain('The store can’t be written');
  expect(system.text).toMatch(/The store can’t be written: .*punctual\.db-wal was deleted or repl/);
  expect(kept.map(({ state }: RunJson) => state)).toEqual(known.map(() => 'succeeded'));
  expect(await contradictions(store)).toEqual([]);
}, 120_000);
