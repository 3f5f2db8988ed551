import { describe, expect, test } from 'vitest';
import { job } from '../service.ts';
import {
  clockEvents,
  everySituation,
  expectKept,
  HOUR,
  intoTheMiddle,
  LEASE,
  MINUTE,
  rangesOf,
  scene,
  SECOND,
  startsOf,
  toldOfClock,
  type JobsOf,
} from './scenario.ts';

/* A machine that is started anew, sleeps or stands still; and two clocks on one machine. */

describe('a machine that is started anew', () => {
  test.each([
    ['with its clock right', 0, ['machine_restarted', 'clock_steady']],
    ['a day ahead, set right a minute later', 25 * HOUR, ['machine_restarted', 'clock_steady']],
    [
      'in 1970, set right a minute later',
      -Date.UTC(2026, 2, 1),
      ['clock_regressed', 'machine_restarted', 'clock_steady'],
    ],
  ])('%s, decides nothing for a lease, and then all there is', async (_, by, events) => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, journal } = at;
    at.process.kill();
    machine.restart(10 * MINUTE);
    machine.setBy(by);
    at.process = await at.another();
    const started = machine.now;
    await machine.pass(MINUTE);
    machine.setRight();
    await machine.pass(LEASE - MINUTE - SECOND);
    const inDoubt = journal.begun({ from: started, to: machine.now });

    await machine.pass(12 * MINUTE);

    const runs = await expectKept(at);
    expect(inDoubt).toBe(0);
    expect(clockEvents(at.process)).toEqual(events);
    expect(runs.find(({ id }) => id === 'long@20260301T003000Z')?.state).toBe('lost');
    expect(rangesOf(runs, 'minute')[0]).toMatch(
      /^2026-03-01T00:35–2026-03-01T00:4\d missed: outage/,
    );
    expect(rangesOf(runs, 'paused')).toEqual(['2026-03-01T00:25–2026-03-01T00:50 skipped: paused']);
  });

  test('with its clock hours ahead for good, waits for a lease and believes it', async () => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, journal } = at;
    at.process.kill();
    machine.restart(10 * MINUTE);
    machine.setBy(3 * HOUR);
    at.process = await at.another();
    const started = machine.now;
    await machine.pass(LEASE / 2);
    const told = await toldOfClock(at.process);
    await machine.pass(LEASE / 2 - SECOND);
    const inDoubt = journal.begun({ from: started, to: machine.now });

    await machine.pass(10 * MINUTE);

    await expectKept(at);
    expect(told).toMatch(/^the machine was restarted; waiting \d+ s before deciding anything/);
    expect(inDoubt).toBe(0);
    expect(startsOf(journal, 'daily')).toEqual(['2026-03-01T03:00']);
  });
});

describe('a machine that goes on after eight hours', () => {
  test('of sleep, in which its monotonic clock stood, first waits for a lease', async () => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, journal, process } = at;
    machine.sleepFor(8 * HOUR);
    const awake = machine.now;
    await machine.pass(LEASE);
    const inDoubt = journal.begun({ from: awake, to: machine.now });
    const stopped = journal.all.filter(({ how }) => how === 'lease_lost');

    await machine.pass(10 * MINUTE);

    const runs = await expectKept(at);
    expect(inDoubt).toBe(0);
    expect(clockEvents(process)).toEqual(['clock_jumped', 'clock_steady']);
    expect(stopped.length).toBeGreaterThan(2);
    expect(stopped.every(({ endedAt }) => (endedAt ?? Infinity) <= awake + 250)).toBe(true);
    expect(rangesOf(runs, 'minute')[0]).toBe('2026-03-01T00:35–2026-03-01T08:33 missed: outage');
    expect(startsOf(journal, 'daily')).toEqual(['2026-03-01T03:00']);
  });

  test('in which its monotonic clock went on, decides at once', async () => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, journal, process } = at;
    machine.standFor(8 * HOUR);
    const awake = machine.now;
    await machine.pass(10 * SECOND);
    const begun = journal.begun({ from: awake - 1, to: machine.now });

    await machine.pass(10 * MINUTE);

    const runs = await expectKept(at);
    expect(begun).toBeGreaterThan(0);
    expect(clockEvents(process)).toEqual([]);
    expect(rangesOf(runs, 'minute')[0]).toBe('2026-03-01T00:35–2026-03-01T08:31 missed: outage');
    expect(startsOf(journal, 'daily')).toEqual(['2026-03-01T03:00']);
  });
});

describe('where two processes of a machine see times two hours apart', () => {
  const OTHERS = [
    ['ahead', 2 * HOUR],
    ['behind', -2 * HOUR],
  ] as const;

  /** Ten minutes of both, then the one whose clock is wrong is gone, and the store is put right. */
  async function live(jobs: JobsOf, offMs: number) {
    const at = await scene(jobs, { from: Date.UTC(2026, 2, 1, 0, 55) });
    const { machine } = at;
    await machine.pass(MINUTE);
    const other = await at.another({ offMs });
    await machine.pass(10 * MINUTE);
    const told = await toldOfClock(other);
    other.kill();
    await at.process.store.resetClock('ann');
    await machine.pass(15 * MINUTE);
    return { at, other, told };
  }

  test.each(OTHERS)(
    'the one that is %s decides nothing while the other writes',
    async (how, by) => {
      const { at, other, told } = await live(
        (journal, of) => [
          job({ name: 'minute', schedule: '* * * * *', run: journal.work(of, 20 * SECOND) }),
        ],
        by,
      );

      await expectKept(at);
      expect(told).toMatch(
        how === 'ahead'
          ? /^another process sees a clock that is (?:2 h|120 min) behind; waiting 90 s/
          : /^the clock was set back by (?:2 h|120 min): nothing is decided until/,
      );
      expect(clockEvents(other).at(-1)).toBe(how === 'ahead' ? 'clocks_differ' : 'clock_regressed');
      expect(at.journal.all.map(({ process }) => process)).toEqual(
        Array.from({ length: 26 }, () => at.process.name),
      );
    },
  );

  test.each(OTHERS)(
    'nothing runs twice for the one that is %s, though none writes',
    async (_, by) => {
      const { at } = await live(
        (journal, of) => [
          job({ name: 'hour', schedule: '0 * * * *', run: journal.work(of, 20 * SECOND) }),
          job({
            name: 'tens',
            schedule: '*/10 * * * *',
            overlap: 'queue',
            timeout: '1h',
            run: journal.work(of, 8 * MINUTE),
          }),
        ],
        by,
      );

      await expectKept(at, { ranAhead: true });
      expect(startsOf(at.journal, 'tens').length).toBeGreaterThan(1);
    },
  );
});
