import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { until, type ListedRun, type ServerProcess } from '../process/server.ts';
import { FalseClock, LEASE_MS, library, place, type Place } from './faked.ts';

/* Real servers, real time, and a wall clock that is false: see faked.ts. */

const HOUR = 3_600_000;
const CLEAN = /: 0 unexplained gaps$/m;
const SOON_MS = 60_000;

/** An odd instant, a fixed time that it makes odd, when that runs, and whether we are killed. */
const INSTANTS = [
  ['America/New_York', '2026-03-08T07:00:00.000Z', '30 2 * * *', 'goes on'],
  ['Pacific/Apia', '2011-12-30T10:00:00.000Z', '0 12 * * *', 'killed'],
  ['UTC', '2028-02-29T00:00:00.000Z', '0 0 29 2 *', 'killed'],
] as const;

const unsteady = async (server: ServerProcess): Promise<string | null> =>
  (await server.json<{ store: { unsteady: string | null } }>('/api/v1/system')).store.unsteady;

const steady = (server: ServerProcess): Promise<true> =>
  until(async () => (await unsteady(server)) === null, SOON_MS);

/** Waits until a server has run a job anew. What ran by a clock that was ahead stands first. */
async function goesOn(server: ServerProcess, job: string, clock: FalseClock): Promise<ListedRun> {
  const hasCome = ({ scheduledAt }: ListedRun): boolean =>
    Date.parse(scheduledAt ?? '') <= clock.now;
  const newest = async (): Promise<ListedRun | undefined> =>
    (await server.runs(job)).find((run) => run.state === 'succeeded' && hasCome(run));
  const before = await newest();
  return await until(async () => {
    const now = await newest();
    return now?.id !== before?.id && now;
  }, SOON_MS);
}

async function expectKept(at: Place, clock: FalseClock): Promise<void> {
  expect(at.problems()).toEqual([]);
  expect(await at.call(clock, 'audit.ts')).toMatch(CLEAN);
}

describe.skipIf(library === undefined)('a real server whose clock is false', () => {
  test('goes through an odd instant, or is killed in it, and runs each time once', async () => {
    const through = INSTANTS.map(async ([TEST_ZONE, instant, TEST_SCHEDULE, fate]) => {
      const odd = Date.parse(instant);
      const at = place({ TEST_ZONE, TEST_SCHEDULE });
      const clock = new FalseClock(odd - HOUR);
      let server = await at.start(clock);
      // However long the start took, it is at work some seconds before.
      clock.set(odd - LEASE_MS - 2000);
      await steady(server);
      if (fate === 'killed') {
        await wait(Math.max(0, odd - 100 - clock.now));
        await at.kill(server);
        server = await at.start(clock);
      }
      await until(async () => (await server.runs('fixed'))[0]?.state === 'succeeded', SOON_MS);
      await goesOn(server, 'second', clock);
      const fixed = await server.runs('fixed');
      await server.end('SIGTERM');
      await expectKept(at, clock);
      return [TEST_ZONE, ...fixed.map(({ scheduledAt }) => scheduledAt)];
    });

    const found = await Promise.all(through);

    expect(found).toEqual(INSTANTS.map(([zone, instant]) => [zone, instant]));
  }, 120_000);

  test('is set by hours both ways, reset and started again, and runs nothing twice', async () => {
    const at = place();
    const right = Date.now();
    const clock = new FalseClock(right);
    const server = await at.start(clock);
    await goesOn(server, 'second', clock);

    clock.setBy(3 * HOUR);
    const jumped = await until(async () => (await unsteady(server)) ?? undefined, SOON_MS);
    await steady(server);
    const ahead = await goesOn(server, 'second', clock);
    clock.setBy(-3 * HOUR);
    const back = await until(async () => (await unsteady(server)) ?? undefined, SOON_MS);
    const page = await (await fetch(`${server.url}/system`)).text();
    const reset = await at.call(clock, 'jobs.ts', 'reset-clock');
    await steady(server);
    const again = await goesOn(server, 'second', clock);
    await server.end('SIGTERM');
    const next = await at.start(clock);
    await goesOn(next, 'second', clock);
    await next.end('SIGTERM');

    await expectKept(at, clock);
    expect(jumped).toMatch(/^the clock jumped ahead, or the machine slept, by 3 h; waiting \d s/);
    expect(back).toMatch(/^the clock was set back by 3 h: nothing is decided until/);
    expect(page).toContain('clock can’t be trusted: the clock was set back by 3 h');
    expect(reset).toMatch(/^the clock is accepted as it is: .*\n(?:.*\n)*second goes on from now/);
    expect(Date.parse(ahead.scheduledAt ?? '')).toBeGreaterThan(right + 2 * HOUR);
    expect(Date.parse(again.scheduledAt ?? '')).toBeLessThan(right + HOUR);
    const events = [...server.output().matchAll(/"(clock_\w+)"/g)].map(([, event]) => event);
    expect(events.join(' ')).toMatch(/^clock_jumped clock_steady.* clock_regressed clock_steady/);
  }, 120_000);

  test('beside one whose clock is right decides nothing, and that one is not disturbed', async () => {
    const at = place();
    const [clock, ahead] = [new FalseClock(Date.now()), new FalseClock(Date.now() + 2 * HOUR)];
    const server = await at.start(clock);
    await goesOn(server, 'second', clock);

    const other = await at.start(ahead);
    await wait(2.5 * LEASE_MS);
    await goesOn(server, 'second', clock);
    const told = await unsteady(other);
    await Promise.all([other.end('SIGTERM'), server.end('SIGTERM')]);

    await expectKept(at, clock);
    expect(told).toMatch(
      /^another process sees a clock that is (?:2 h|120 min) behind; waiting 2 s/,
    );
    expect(server.output()).not.toContain('clock_regressed');
  }, 60_000);
});
