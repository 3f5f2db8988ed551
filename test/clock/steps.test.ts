import { describe, expect, test } from 'vitest';
import { isFinal } from '../../server/core/run.ts';
import { job } from '../service.ts';
import { allRuns } from './service.ts';
import {
  clockEvents,
  DECADE,
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

/*
 * The wall clock is set while the whole service is at work. Time is virtual; the service, its
 * timer, its port and the database file are real.
 */

describe('a clock set ahead', () => {
  test.each([
    ['3 h', 3 * HOUR, '2026-03-01T03'],
    ['25 h', 25 * HOUR, '2026-03-02T01'],
  ])('by %s is believed after a lease, and all it skips is on record', async (how, by, hour) => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, journal, process } = at;
    const before = machine.now;
    machine.setBy(by);
    await machine.pass(LEASE / 2);
    const told = await toldOfClock(process);
    const atWork = journal.all.filter(({ endedAt }) => endedAt === undefined);
    await machine.pass(LEASE / 2);
    const inDoubt = journal.begun({ from: before, to: machine.now });

    await machine.pass(10 * MINUTE);

    const runs = await expectKept(at);
    const jumped = `the clock jumped ahead, or the machine slept, by ${how}; waiting `;
    expect(told?.slice(0, jumped.length)).toBe(jumped);
    expect([atWork, inDoubt]).toEqual([[], 0]);
    expect(clockEvents(process)).toEqual(['clock_jumped', 'clock_steady']);
    expect(await toldOfClock(process)).toBeUndefined();
    expect(rangesOf(runs, 'minute')[0]).toBe(`2026-03-01T00:35–${hour}:33 missed: outage`);
    // What was paused when the clock was set stays so, to the end that was asked for.
    expect(rangesOf(runs, 'paused')).toEqual([
      '2026-03-01T00:25–2026-03-01T00:50 skipped: paused',
      `2026-03-01T00:55–${hour}:30 missed: outage`,
    ]);
    expect(startsOf(journal, 'daily')).toEqual(['2026-03-01T03:00']);
  });

  test.each([
    ['3 h', 3 * HOUR],
    ['ten years', DECADE],
  ])('by %s for a moment, while nothing is at work, leaves no trace', async (_, by) => {
    const at = await scene((journal, of) => [
      job({ name: 'minute', schedule: '* * * * *', run: journal.work(of, 100) }),
      job({ name: 'hour', schedule: '0 * * * *', run: journal.work(of, 100) }),
    ]);
    const { machine, journal, process } = at;
    // Whatever the service notes from time to time falls into that moment, too.
    await machine.pass(299 * SECOND);
    await machine.pass(2 * SECOND);
    machine.setBy(by);
    await process.page('/system');
    await machine.pass(80 * SECOND);

    machine.setRight();
    await machine.pass(40 * MINUTE);

    const runs = await expectKept(at);
    expect(clockEvents(process)).toEqual(['clock_jumped', 'clock_steady']);
    expect(rangesOf(runs, 'minute').length).toBeLessThanOrEqual(1);
    expect(startsOf(journal, 'hour')).toEqual(['2026-03-01T01:00']);
    expect(startsOf(journal, 'minute')).toContain('2026-03-01T00:25');
  });

  test('for a moment, while handlers are at work, waits until it has come, and says so', async () => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, journal, process } = at;
    machine.setBy(20 * MINUTE);
    await machine.pass(10 * SECOND);

    machine.setRight();
    await machine.pass(10 * MINUTE);
    const told = await toldOfClock(process);
    await machine.pass(30 * MINUTE);

    const runs = await expectKept(at);
    expect(told).toMatch(/^the clock was set back by 10 min: nothing is decided until it has c/);
    expect(clockEvents(process)).toEqual(['clock_jumped', 'clock_regressed', 'clock_steady']);
    expect(rangesOf(runs, 'minute')[0]).toBe('2026-03-01T00:35–2026-03-01T00:52 missed: outage');
    expect(startsOf(journal, 'paused').at(-1)).toBe('2026-03-01T01:10');
  });
});

describe('a clock set back', () => {
  test.each([
    ['3 h', -3 * HOUR],
    ['25 h', -25 * HOUR],
    // To 1970, as a machine without a battery has it after its start.
    ['20513 d', -Date.UTC(2026, 2, 1)],
  ])(
    'by %s and right again decides nothing until it has been right for a lease',
    async (how, by) => {
      const at = await scene(everySituation);
      await intoTheMiddle(at);
      const { machine, journal, process } = at;
      const before = machine.now;
      machine.setBy(by);
      await machine.pass(2 * MINUTE);
      const told = await toldOfClock(process);
      const inDoubt = journal.begun({ from: before, to: machine.now });

      machine.setRight();
      await machine.pass(8 * MINUTE);

      await expectKept(at);
      const back = `the clock was set back by ${how}: nothing is decided until it has caught up with`;
      expect(told?.slice(0, back.length)).toBe(back);
      expect(inDoubt).toBe(0);
      expect(clockEvents(process)).toEqual(['clock_regressed', 'clock_jumped', 'clock_steady']);
    },
  );

  test('for two minutes gives up no handler that is at work, and lets none overlap it', async () => {
    const at = await scene(
      (journal, of) => [
        job({
          name: 'long',
          schedule: '*/2 * * * *',
          timeout: '1h',
          overlap: 'queue',
          run: journal.work(of, 9 * MINUTE),
        }),
      ],
      { from: Date.UTC(2026, 2, 1, 0, 1) },
    );
    const { machine, journal, process } = at;
    // Just after a beat, so that the next look at the clock is as far away as it can be.
    await machine.pass(MINUTE + 33.5 * SECOND);
    machine.setBy(-3 * HOUR);
    await machine.pass(107 * SECOND);
    // It is right again at the moment at which the timer looks, before any handler can know.
    const time = process.store.time.bind(process.store);
    process.store.time = () => {
      machine.setRight();
      return time();
    };

    await machine.pass(5 * MINUTE);

    const [first] = await expectKept(at);
    expect(first?.attempts.map(({ outcome }) => outcome)).toEqual(['failed']);
    expect(journal.all[0]?.how).toBe('lease_lost');
  });

  test('catches up by itself, and what is at work meanwhile ends on record', async () => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, journal, process } = at;
    const before = machine.now;
    machine.setBy(-7 * MINUTE);
    await machine.pass(6 * MINUTE);
    const inDoubt = journal.begun({ from: before, to: machine.now });
    const ended = (await allRuns(process.store, 'long')).map(({ state }) => state);

    await machine.pass(10 * MINUTE);

    const runs = await expectKept(at);
    expect(inDoubt).toBe(0);
    expect(ended).toEqual(['succeeded', 'succeeded'].slice(0, ended.length));
    expect(rangesOf(runs, 'minute')).toEqual([]);
    expect(clockEvents(process)).toEqual(['clock_regressed', 'clock_steady']);
  });
});

describe('a step within the tolerance of 5 s', () => {
  test.each([4000, -4000])('of %i ms changes nothing', async (by) => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, process } = at;
    const atWork = at.journal.all.filter(({ endedAt }) => endedAt === undefined).length;
    machine.setBy(by);

    await machine.pass(12 * MINUTE);

    const runs = await expectKept(at);
    expect(atWork).toBeGreaterThan(2);
    expect(clockEvents(process)).toEqual([]);
    expect(rangesOf(runs, 'minute')).toEqual([]);
    expect(runs.filter(({ state }) => state === 'lost')).toEqual([]);
  });

  test.each([
    [6000, /^the clock jumped ahead, or the machine slept, by [67] s; waiting 90 s/],
    [-6000, /^the clock was set back by [67] s/],
  ])('is exceeded by %i ms: nothing new starts, and what is at work goes on', async (by, why) => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, journal, process } = at;
    const atWork = journal.all.filter(({ endedAt }) => endedAt === undefined);
    const before = machine.now;
    machine.setBy(by);
    await machine.pass(LEASE);
    const inDoubt = journal.begun({ from: before, to: machine.now });

    await machine.pass(12 * MINUTE);

    const runs = await expectKept(at);
    const reasons = process.log.flatMap(({ fields }) => fields['reason'] ?? []);
    expect(reasons[0]).toMatch(why);
    expect(clockEvents(process).at(-1)).toBe('clock_steady');
    expect(inDoubt).toBe(0);
    expect(runs.filter(({ state }) => state === 'lost')).toEqual([]);
    expect(atWork.map(({ job: name, how }) => `${name} ${how}`).toSorted()).toEqual([
      'filled done',
      'long done',
      'queued done',
      'replaced replaced',
    ]);
  });
});

/** One job with two runs that take a while, and are tried again: a few commits each. */
const twoRuns: JobsOf = (journal, of) => [
  job({
    name: 'one',
    schedule: '20,30 0 * * *',
    retry: { attempts: 2, backoff: { from: '1m', jitter: 0 } },
    run: journal.work(of, 2 * MINUTE, { fails: 1 }),
  }),
];

describe('a step at any commit of a run', () => {
  const places = ['claim 1', 'claim 2', 'renew 1', 'renew 4', 'finish 1', 'finish 2'];

  test.each([
    ['ahead by 3 h, before', 3 * HOUR, 'before'],
    ['ahead by 3 h, after', 3 * HOUR, 'after'],
    ['back by 3 h for a while, before', -3 * HOUR, 'before'],
    ['back by 3 h for a while, after', -3 * HOUR, 'after'],
  ] as const)('%s it, starts nothing twice and loses nothing', async (_, by, when) => {
    for (const place of places) {
      const at = await scene(twoRuns);
      const { machine, process } = at;
      const commit = process.store.commit.bind(process.store);
      const counts = new Map<string, number>();
      let stepped = 0;
      process.store.commit = async (order) => {
        const nth = (counts.get(order.op) ?? 0) + 1;
        counts.set(order.op, nth);
        const here = `${order.op} ${nth}` === place;
        if (here) stepped = 1;
        if (here && when === 'before') machine.setBy(by);
        const committed = await commit(order);
        if (here && when === 'after') machine.setBy(by);
        return committed;
      };
      for (let minute = 0; minute < 25; minute += 1) {
        await machine.pass(MINUTE);
        // One that was set back is right again after a while.
        if (by < 0 && stepped > 0) stepped += 1;
        if (stepped === 4) machine.setRight();
      }

      const runs = await expectKept(at);
      const open = runs.filter(({ state }) => !isFinal(state));
      const records = runs.length;
      expect({ place, open, records }).toEqual({ place, open: [], records: 2 });
      expect(stepped).toBeGreaterThan(0);
      process.kill();
    }
  });
});
