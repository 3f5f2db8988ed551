import { expect, test } from 'vitest';
import { bootIdentity } from '../../server/stores/sqlite-clock.ts';
import { STAMP } from '../../server/core/time.ts';
import type { SqliteStore } from '../../server/stores/sqlite.ts';
import { commit, jobRecord, lease } from '../builders.ts';
import { TEST_START, testClock, type TestClock } from '../test-clock.ts';
import { file, openStore } from './sqlite-fixture.ts';

const HOUR = 3_600_000;

/** Commits a beat, and gives the time of its stamp. */
async function beat(store: SqliteStore): Promise<number> {
  const { version } = await store.read('nightly-report');
  const active = { a1: lease({ renewedAt: STAMP }) };
  const result = await store.commit(commit(jobRecord({ active }), { version }));
  if (result.kind !== 'ok') throw new Error(result.kind);
  return result.storeNow;
}

test('a new database trusts its clock at once', async () => {
  const store = openStore({ path: file() });

  expect(await store.time()).toEqual({ storeNow: TEST_START, unsteady: null });
});

test('a clock set back decides nothing until it has caught up, and time stands still', async () => {
  const clock = testClock();
  const events: string[] = [];
  const store = openStore({ path: file(), clock, events });
  await beat(store);
  clock.setWall(TEST_START - 3 * HOUR);

  const { storeNow, unsteady } = await store.time();
  const stamped = await beat(store);
  await clock.advance(2 * HOUR);
  const later = await store.time();
  await clock.advance(HOUR);
  const caughtUp = await store.time();

  expect(storeNow).toBe(TEST_START);
  expect(unsteady).toMatch(
    /^the clock was set back by 3 h: nothing is decided until it has caught/,
  );
  expect(stamped).toBe(TEST_START);
  expect(later.unsteady).toMatch(/set back by 60 min/);
  expect(caughtUp).toEqual({ storeNow: TEST_START, unsteady: null });
  expect(events).toEqual(['clock_regressed', 'clock_steady']);
});

test('another process, and one started later, see a clock set back too', async () => {
  const path = file();
  const clock = testClock();
  await beat(openStore({ path, clock }));
  clock.setWall(TEST_START - HOUR);

  const { unsteady, storeNow } = await openStore({ path, clock }).time();

  expect(unsteady).toMatch(/set back by 60 min/);
  expect(storeNow).toBe(TEST_START);
});

test('a clock set back within the tolerance only makes time stand still', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  await beat(store);
  clock.setWall(TEST_START - 5000);

  expect(await store.time()).toEqual({ storeNow: TEST_START, unsteady: null });
});

test('a clock set right again by the operator is trusted when nothing else is odd', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  await beat(store);
  clock.setWall(TEST_START - HOUR);
  await store.time();

  clock.setWall(TEST_START);

  expect(await store.time()).toMatchObject({ unsteady: null });
});

test('a jump ahead is believed only when it has stood for one lease', async () => {
  const clock = testClock();
  const events: string[] = [];
  const store = openStore({ path: file(), clock, events });
  await beat(store);
  clock.setWall(TEST_START + 10 * 24 * HOUR);

  const jumped = await store.time();
  await clock.advance(89_000);
  const almost = await store.time();
  await clock.advance(1000);
  const adopted = await store.time();

  expect(jumped.unsteady).toBe(
    'the clock jumped ahead, or the machine slept, by 10 d; waiting 90 s before deciding anything',
  );
  expect(almost.unsteady).toMatch(/waiting 1 s/);
  expect(adopted.unsteady).toBeNull();
  expect(events).toEqual(['clock_jumped', 'clock_steady']);
});

test('a jump that is taken back before it is believed leaves no trace', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  await beat(store);
  clock.setWall(TEST_START + 10 * 24 * HOUR);
  await store.time();
  await store.writeMeta('seen', {}, undefined);
  await clock.advance(60_000);

  clock.setWall(TEST_START + 60_000);

  expect(await store.time()).toEqual({ storeNow: TEST_START + 60_000, unsteady: null });
});

test('a jump that is taken back after it stamped a commit must be waited for', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  await beat(store);
  clock.setWall(TEST_START + HOUR);
  await beat(store);

  clock.setWall(TEST_START);

  const { storeNow, unsteady } = await store.time();
  expect([storeNow, unsteady]).toEqual([
    TEST_START + HOUR,
    expect.stringMatching(/set back by 60 min/),
  ]);
});

test('a clock that stood back for a while and is right again waits for a lease', async () => {
  const path = file();
  const clock = testClock();
  const store = openStore({ path, clock });
  const other = openStore({ path, clock });
  await beat(store);
  await other.time();
  clock.setWall(TEST_START - 25 * HOUR);
  await beat(store);
  await clock.advance(6000);
  await beat(store);

  clock.setWall(TEST_START + 6000);

  // Leases were renewed by a time that stood still, and the other has seen nothing of that.
  const unsteady = expect.stringMatching(/jumped ahead, .* by 25 h; waiting 90 s/);
  expect(await store.time()).toEqual({ storeNow: TEST_START + 6000, unsteady });
  expect(await other.time()).toEqual({ storeNow: TEST_START + 6000, unsteady });
  await clock.advance(90_000);
  expect(await other.time()).toMatchObject({ unsteady: null });
});

test('a jump is not believed the sooner for a step back that follows it', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  await beat(store);
  clock.setWall(TEST_START + 10 * 24 * HOUR);
  await beat(store);
  await clock.advance(10_000);

  clock.setWall(clock.wall() - 12_000);
  await store.time();
  await clock.advance(89_000);
  const almost = await store.time();
  await clock.advance(1000);

  expect(almost.unsteady).toMatch(/waiting 1 s/);
  expect(await store.time()).toMatchObject({ unsteady: null });
});

test('a machine that slept twice is waited for once, though nobody writes meanwhile', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  await beat(store);
  clock.setWall(clock.wall() + 30_000);
  await beat(store);
  clock.setWall(clock.wall() + 200_000);
  await store.time();
  await clock.advance(90_000);

  const first = await store.time();
  await clock.advance(1000);
  const second = await store.time();

  expect([first.unsteady, second.unsteady]).toEqual([null, null]);
});

test('a process that is stopped between its looks at two clocks goes on at its next look', async () => {
  let ms = 0;
  let stops = false;
  const look = (): number => {
    const seen = ms;
    if (stops) ms += 7000;
    stops = false;
    return seen;
  };
  const clock: TestClock = { ...testClock(), monotonic: look, wall: () => TEST_START + look() };
  const store = openStore({ path: file(), clock });
  await beat(store);

  stops = true;
  await beat(store);

  expect(await store.time()).toEqual({ storeNow: TEST_START + 7000, unsteady: null });
});

test('two processes that see different times decide nothing as long as both say so', async () => {
  const path = file();
  const clock = testClock();
  const ahead: TestClock = { ...clock, wall: () => clock.wall() + 2 * HOUR };
  const right = openStore({ path, clock });
  await beat(right);
  const wrong = openStore({ path, clock: ahead });

  const seen: (string | null)[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    await clock.advance(60_000);
    await beat(right);
    seen.push((await wrong.time()).unsteady);
  }

  expect(seen.at(-1)).toBe(
    'another process sees a clock that is 120 min behind; waiting 90 s before deciding anything',
  );
  expect(seen.filter((unsteady) => unsteady === null)).toEqual([]);
  expect(await right.time()).toMatchObject({ unsteady: null });
});

test('a step of three hours and a little is said to be of 3 h', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  clock.setWall(TEST_START + 3 * HOUR + 400);

  expect((await store.time()).unsteady).toMatch(/slept, by 3 h; waiting 90 s/);
});

test('a machine that slept waits, though nobody asked for the time meanwhile', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  await beat(store);
  await clock.advance(HOUR);
  clock.setWall(clock.wall() + 8 * HOUR);

  const woken = await store.read('nightly-report');
  const due = await store.due({ limit: 1, aheadMs: 0 });

  expect(woken.unsteady).toMatch(/the machine slept, by 8 h/);
  expect(due.unsteady).toBe(woken.unsteady);
});

test('a second jump while waiting begins the wait anew', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  clock.setWall(TEST_START + HOUR);
  await store.time();
  await clock.advance(60_000);
  clock.setWall(clock.wall() + HOUR);

  expect((await store.time()).unsteady).toMatch(/waiting 90 s/);
});

test('a long idle time is no jump', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  await beat(store);

  await clock.advance(30 * 24 * HOUR);

  expect(await store.time()).toMatchObject({ unsteady: null });
});

test('a clock that is corrected little by little while nothing is written is no jump', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });

  const seen: (string | null)[] = [];
  for (let i = 0; i < 10; i += 1) {
    await clock.advance(60_000);
    clock.setWall(clock.wall() + 2000);
    seen.push((await store.time()).unsteady);
  }

  expect(seen).toEqual(Array(10).fill(null));
});

test('after a restart of the machine nothing is decided for one lease', async () => {
  const path = file();
  await beat(openStore({ path, clock: testClock() }));
  const clock = testClock(TEST_START + 60_000);
  const store = openStore({ path, clock, identity: 'boot-2' });

  const started = await store.time();
  await beat(store);
  await clock.advance(90_000);
  const adopted = await store.time();
  await beat(store);

  const unsteady = 'the machine was restarted; waiting 90 s before deciding anything';
  expect(started).toEqual({ storeNow: TEST_START + 60_000, unsteady });
  expect(adopted.unsteady).toBeNull();
  const next = openStore({ path, clock, identity: 'boot-2' });
  expect(await next.time()).toMatchObject({ unsteady: null });
});

test('a process restarted while waiting does not begin the wait anew', async () => {
  const path = file();
  await openStore({ path }).close();
  const clock = testClock();
  await openStore({ path, clock, identity: 'boot-2' }).close();
  await clock.advance(60_000);

  const store = openStore({ path, clock, identity: 'boot-2' });

  expect((await store.time()).unsteady).toMatch(/waiting 30 s/);
});

test('a restart of the program alone needs no wait', async () => {
  const path = file();
  const clock = testClock();
  await beat(openStore({ path, clock }));
  await clock.advance(HOUR);

  expect(await openStore({ path, clock }).time()).toMatchObject({ unsteady: null });
});

test('opening with a wrong clock does not move store time', async () => {
  const path = file();
  const clock = testClock();
  await beat(openStore({ path, clock }));
  clock.setWall(TEST_START + 1000 * 24 * HOUR);
  await openStore({ path, clock }).close();
  clock.setWall(TEST_START);

  expect(await openStore({ path, clock }).time()).toMatchObject({ storeNow: TEST_START });
});

test('a commit is never stamped before a time that was given out', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  await clock.advance(4000);
  const { storeNow } = await store.time();
  clock.setWall(TEST_START);

  expect(await beat(store)).toBe(storeNow);
});

test('a commit decided by a clock that was set back since waits until that time has come', async () => {
  const clock = testClock();
  const store = openStore({ path: file(), clock });
  await clock.advance(10_000);
  const { storeNow } = await store.time();
  // Reckoned on from there by the monotonic clock; the wall clock is set back meanwhile.
  await clock.advance(3000);
  clock.setWall(storeNow - 1000);
  const decided = commit(jobRecord(), { decidedAt: storeNow + 3000 });

  const early = await store.commit(decided);
  await clock.advance(4000);
  const inTime = await store.commit(decided);

  expect([early.kind, inTime.kind]).toEqual(['conflict', 'ok']);
});

test('an operator can accept the clock as it is, for all processes, on record', async () => {
  const path = file();
  const clock = testClock();
  const store = openStore({ path, clock });
  const other = openStore({ path, clock });
  await clock.advance(2 * HOUR);
  await beat(store);
  await other.time();
  clock.setWall(TEST_START);
  await other.time();

  await store.resetClock('ada');

  const steady = { storeNow: TEST_START, unsteady: null };
  expect([await store.time(), await other.time()]).toEqual([steady, steady]);
  expect(await beat(other)).toBe(TEST_START);
  const { actions } = await store.listActions({ limit: 9 });
  expect(actions.filter(({ job }) => job === null)).toMatchObject([
    {
      by: 'ada',
      action: 'reset-clock',
      detail: 'store time was 2026-03-01T02:00:00.000Z, and goes on from 2026-03-01T00:00:00.000Z',
    },
  ]);
});

test('one start of a machine has one identity', () => {
  expect(bootIdentity(TEST_START)).toBe(bootIdentity(TEST_START));
});
