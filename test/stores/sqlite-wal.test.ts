import fs, { readdirSync, readlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Durability } from '../../server/stores/sqlite-file.ts';
import type { SqliteStore } from '../../server/stores/sqlite.ts';
import { allSettled, testClock } from '../test-clock.ts';
import { file, openStore } from './sqlite-fixture.ts';

/** A store, and a look at its log from outside. */
function world(durability: Durability = 'full') {
  const path = file();
  const clock = testClock();
  const store = openStore({ path, clock, durability });
  const beside = new DatabaseSync(path);
  onTestFinished(() => beside.close());
  const pages = () => {
    const found = beside.prepare('PRAGMA wal_checkpoint(NOOP)').get();
    return { log: Number(found?.['log']), back: Number(found?.['checkpointed']) };
  };
  return { path, clock, store, pages };
}

let n = 0;
async function write(store: SqliteStore, times: number, between = allSettled): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    await store.writeMeta(`key-${n++}`, 'x'.repeat(500), undefined);
    await between();
  }
}

/** Also once it is deleted. */
const opened = (path: string): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${path}-wal`);
    } catch {
      return false;
    }
  }).length;

const isSyncing = (): boolean => process.getActiveResourcesInfo().includes('FSReqCallback');

/** What a store began before it was closed goes on after it. */
async function nothingIsSynced(): Promise<void> {
  await expect.poll(isSyncing).toBe(false);
}

/** What a clock is asked to call later: the test does. */
function calledByHand() {
  const later: (() => void)[] = [];
  const after = (_ms: number, call: () => void) => {
    later.push(call);
    return () => undefined;
  };
  return { later, after };
}

/** Syncs that are asked for from now on end when the test says so. */
function slowDisk() {
  const real = fs.fdatasync;
  let ends: (() => void)[] = [];
  const slow = (fd: number, done: (error: null) => void): void => {
    fs.fdatasyncSync(fd);
    ends.push(() => done(null));
  };
  const use = (fdatasync: unknown): void => {
    Object.assign(fs, { fdatasync });
    syncBuiltinESMExports();
  };
  use(slow);
  onTestFinished(() => use(real));
  return {
    waiting: () => ends.length,
    end: () => {
      const now = ends;
      ends = [];
      for (const end of now) end();
    },
  };
}

describe('the write-ahead log of a database', () => {
  beforeEach(nothingIsSynced);

  test.each<Durability>(['full', 'normal'])(
    'is put back in a quiet moment, once it is worth it (%s)',
    async (durability) => {
      const { clock, store, pages } = world(durability);

      await write(store, 200);
      await clock.advance(1000);
      expect(pages().back).toBe(0);
      await write(store, 60);
      expect(pages().back).toBe(0);

      const back = async () => (await clock.advance(5), pages().back);
      await expect.poll(back).toBeGreaterThan(260);
      expect(pages().back).toBe(pages().log);
    },
  );

  test('is left alone while one write follows another', async () => {
    const { clock, store, pages } = world();

    await write(store, 300, () => clock.advance(4));
    expect(pages().back).toBe(0);
    await clock.advance(5);

    expect(pages().back).toBe(pages().log);
  });

  test('is synced beside the commits, where these do not do it', async () => {
    const syncs = { full: 0, normal: 0 };
    for (const durability of ['full', 'normal'] as const) {
      const { store } = world(durability);
      await nothingIsSynced();
      await write(store, 300, async () => {
        if (isSyncing()) syncs[durability] += 1;
      });
    }

    expect(syncs.full).toBe(0);
    expect(syncs.normal).toBeGreaterThan(0);
  });

  test('is synced once it is quiet, however little there is, where commits do not do it', async () => {
    const looks = { full: 0, normal: 0 };
    for (const durability of ['full', 'normal'] as const) {
      const clock = testClock();
      const { later, after } = calledByHand();
      const store = openStore({ path: file(), clock: { ...clock, after }, durability });
      await write(store, 1);
      await clock.advance(5);
      await nothingIsSynced();
      for (const call of later) call();
      if (isSyncing()) looks[durability] += 1;
    }

    expect(looks).toEqual({ full: 0, normal: 1 });
  });

  test('is synced once more, where something was committed while it was', async () => {
    let at = 0;
    const { later, after } = calledByHand();
    const clock = { ...testClock(), monotonic: () => at, after };
    const store = openStore({ path: file(), clock, durability: 'normal' });

    await write(store, 63);
    do await write(store, 1, async () => undefined);
    while (!isSyncing());
    at += 5;
    const before = later.length;
    later.at(-1)?.();
    expect(later).toHaveLength(before + 1);

    await expect.poll(isSyncing).toBe(false);
    at += 5;
    later.at(-1)?.();
    expect(isSyncing()).toBe(true);
  });

  test('is not put back in a moment that was quiet when its sync began, and is not now', async () => {
    const { clock, store, pages } = world('normal');
    await write(store, 300, async () => undefined);
    await nothingIsSynced();
    const disk = slowDisk();
    await clock.advance(5);
    expect(disk.waiting()).toBe(1);

    await write(store, 1, async () => undefined);
    disk.end();

    expect(pages().back).toBe(0);
    await clock.advance(5);
    expect(disk.waiting()).toBe(1);
    disk.end();
    expect(pages().back).toBe(pages().log);
  });

  test.runIf(process.platform === 'linux')('is no longer open after the end', async () => {
    const { path, store } = world('normal');
    await write(store, 63);
    do await write(store, 1, async () => undefined);
    while (!isSyncing());
    const during = opened(path);

    await store.close();

    await expect.poll(() => opened(path)).toBe(0);
    // SQLite's own, and the one that is synced beside it.
    expect(during).toBe(2);
  });
});
