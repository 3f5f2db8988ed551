import { describe, expect, test } from 'vitest';
import { runNow } from '../../server/core/run-now.ts';
import { keepSelfAudit } from '../../server/core/self-audit.ts';
import type { Job } from '../../server/core/job.ts';
import { runRequest } from '../builders.ts';
import { call } from '../scripts/call.ts';
import { job } from '../service.ts';
import { allRuns } from './service.ts';
import {
  clock,
  DAY,
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
 * The clock was ahead for a while, and was set right: an operator resets the store's clock. Nothing
 * that was said of a future which has not come may hold anything up from then on.
 */

describe('a clock that was ahead for a moment, while handlers were at work, and is reset', () => {
  test.each([
    ['three hours', 3 * HOUR],
    ['ten years', DECADE],
  ])('by %s: all jobs go on at once', async (_, by) => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, journal, process } = at;
    machine.setBy(by);
    await machine.pass(20 * SECOND);
    // Somebody asks for a run meanwhile, which waits.
    await runNow(process.service.deps, job({ name: 'minute' }), runRequest());
    machine.setRight();
    await machine.pass(10 * SECOND);
    const told = await toldOfClock(process);

    await process.store.resetClock('ann');
    await machine.pass(30 * MINUTE);

    // The run that somebody asked for is filed under the time of asking.
    const runs = await expectKept(at, { ranAhead: true });
    expect(told).toMatch(/^the clock was set back by \d+ (?:min|h|d)/);
    expect(await toldOfClock(process)).toBeUndefined();
    expect(rangesOf(runs, 'minute')).toEqual([]);
    expect(startsOf(journal, 'paused').at(-1)).toBe('2026-03-01T01:05');
    expect(rangesOf(runs, 'paused')).toEqual(['2026-03-01T00:25–2026-03-01T00:50 skipped: paused']);
    expect(runs.find(({ id }) => id === 'again@20260301T003000Z')).toMatchObject({
      state: 'succeeded',
      attempts: [{ outcome: 'failed' }, { outcome: 'succeeded' }],
    });
    expect(runs.find(({ trigger }) => trigger === 'manual')).toMatchObject({ state: 'succeeded' });
    expect(runs.filter(({ trigger }) => trigger === 'backfill')).toHaveLength(8);
    const { actions } = await process.store.listActions({ limit: 100 });
    expect(actions.filter(({ action }) => action === 'reset-clock')).toMatchObject([{ by: 'ann' }]);
  });
});

/** What is on record of a time that has not come: it is passed over when it does. */
const ranAhead: JobsOf = (journal, of) => [
  job({ name: 'ten', schedule: '*/10 * * * *', run: journal.work(of, 100) }),
  job({
    name: 'queued',
    schedule: '*/3 * * * *',
    overlap: 'queue',
    run: journal.work(of, 4 * MINUTE),
  }),
  job({ name: 'paused', schedule: '*/5 * * * *', run: journal.work(of, 100) }),
];

describe('a clock that was ahead for long enough to be believed, and is reset', () => {
  test('what ran by it stays on record, and does not run again when its time comes', async () => {
    const at = await scene(ranAhead);
    const { machine, journal, process } = at;
    await machine.pass(10 * MINUTE);
    machine.setBy(HOUR);
    await machine.pass(20 * MINUTE);
    const ahead = startsOf(journal, 'ten').slice(-2);
    machine.setRight();
    await machine.pass(10 * SECOND);

    await process.store.resetClock('ann');
    await machine.pass(10 * MINUTE);
    const page = await process.page('/runs');
    await machine.pass(80 * MINUTE);

    await expectKept(at);
    expect(ahead).toEqual(['2026-03-01T01:30', '2026-03-01T01:40']);
    expect(startsOf(journal, 'ten').toSorted()).toEqual([
      '2026-03-01T00:20',
      // Due while the clock was wrong, and caught up with after the reset.
      '2026-03-01T00:40',
      '2026-03-01T00:50',
      '2026-03-01T01:00',
      '2026-03-01T01:10',
      '2026-03-01T01:20',
      '2026-03-01T01:30',
      '2026-03-01T01:40',
      '2026-03-01T01:50',
      '2026-03-01T02:00',
      '2026-03-01T02:10',
    ]);
    expect(page).not.toMatch(/NaN|Invalid|undefined/);
  });

  test.each([
    ['two days', 2 * DAY],
    ['ten years', DECADE],
  ])('by %s: no range of them is left, and what was paused is paused again', async (_, by) => {
    const at = await scene(everySituation);
    await intoTheMiddle(at);
    const { machine, journal, process } = at;
    machine.setBy(by);
    await machine.pass(LEASE + 5 * MINUTE);
    const believed = rangesOf(await allRuns(process.store), 'minute');
    machine.setRight();
    await machine.pass(10 * SECOND);

    await process.store.resetClock('ann');
    const [paused] = (await process.store.listJobs({ limit: 9 })).filter(
      ({ name }) => name === 'paused',
    );
    const before = machine.now;
    await machine.pass(25 * MINUTE);

    const scheduled = journal.all.filter(({ beganAt }) => beganAt > before);
    expect(believed.length).toBeGreaterThan(0);
    expect(paused?.record?.paused).toMatchObject({ note: 'maintenance', by: 'ann' });
    expect(clock(paused?.record?.paused?.until ?? 0)).toBe('2026-03-01T00:50');
    const runs = await expectKept(at, { ranAhead: true });
    expect(rangesOf(runs, 'paused')).toEqual(['2026-03-01T00:25–2026-03-01T00:50 skipped: paused']);
    expect(scheduled.filter(({ job: name }) => name === 'paused').length).toBeGreaterThan(0);
    expect(scheduled.filter(({ job: name }) => name === 'minute').length).toBeGreaterThan(20);
  });
});

test('a build that was deployed while the clock was days ahead does not outlast it', async () => {
  const every =
    (minutes: number): JobsOf =>
    (journal, of) => [
      job({ name: 'job', schedule: `*/${minutes} * * * *`, run: journal.work(of, 100) }),
    ];
  const at = await scene(every(10), { build: 'a' });
  const { machine, journal } = at;
  await machine.pass(5 * MINUTE);
  machine.setBy(2 * DAY);
  await machine.pass(2 * LEASE);
  await at.process.stop();
  const jobsOf =
    (minutes: number) =>
    (of: Parameters<JobsOf>[1]): readonly Job[] =>
      every(minutes)(journal, of);
  at.process = await at.another({ build: 'b', jobs: jobsOf(20) });
  await machine.pass(10 * MINUTE);
  machine.setRight();
  await at.process.store.resetClock('ann');
  await at.process.stop();

  at.process = await at.another({ build: 'c', jobs: jobsOf(5) });
  await machine.pass(10 * MINUTE);

  const { record } = await at.process.store.read('job');
  expect(record?.schedules.at(-1)?.schedule).toBe('*/5 * * * *');
  await expectKept(at, { ranAhead: true });
  // Whoever was noted by the wrong clock is no ghost on the page of the system.
  const page = await at.process.page('/system');
  expect(page).not.toMatch(/in 2 days|in 48 hours|2026-03-03/);
});

describe('what people see after the clock was reset', () => {
  const minute: JobsOf = (journal, of) => [
    job({ name: 'minute', schedule: '* * * * *', run: journal.work(of, 100) }),
  ];

  test('is what there is now, not what a page read while the clock was ahead', async () => {
    const at = await scene(minute);
    const { machine, process } = at;
    machine.setBy(HOUR);
    await machine.pass(2 * LEASE);
    await process.page('/runs');
    machine.setRight();
    await process.store.resetClock('ann');
    await machine.pass(3 * MINUTE);

    const page = await process.page('/runs');

    const [newest] = (await allRuns(process.store)).filter(({ at: when }) => when <= machine.wall);
    expect(newest).toBeDefined();
    expect(page).toContain('minute@20260301T002300Z');
  });

  test('does not take a wake-up of a time that has not come for the last one', async () => {
    const at = await scene(minute, { env: { PUNCTUAL_WAKE: 'tick' } });
    const { machine, process } = at;
    const woken = { at: machine.wall + DAY, started: 1, lagMs: 0 };
    await process.store.writeMeta('tick:default', woken, undefined);

    await machine.pass(10 * MINUTE);

    expect(await process.page('/system')).toContain('<dt>Last wake-up</dt><dd>none yet</dd>');
  });

  test('is no audit that was clean since a time that has not come', async () => {
    const at = await scene(minute);
    const { machine, process } = at;
    const audited = { jobs: 1, occurrences: 0, runs: 0, ranges: 0, gaps: [] };
    const ahead = { audited, at: machine.wall + DAY, lookedBackTo: null };
    await keepSelfAudit(process.store, 'default', ahead);

    const kept = await keepSelfAudit(process.store, 'default', { ...ahead, at: machine.wall });

    expect(kept.cleanSince).toBe(machine.wall);
  });
});

test('jobs of every namespace go on', async () => {
  const one: JobsOf = (journal, of) => [
    job({ name: 'one', schedule: '*/5 * * * *', run: journal.work(of, 100) }),
  ];
  const at = await scene(one);
  const { machine, journal } = at;
  const other = await at.another({
    env: { PUNCTUAL_NAMESPACE: 'other' },
    jobs: (of) => [job({ name: 'two', schedule: '*/5 * * * *', run: journal.work(of, 100) })],
  });
  machine.setBy(DAY);
  await machine.pass(2 * LEASE);
  machine.setRight();

  const rewound = await other.store.resetClock('ann');
  await machine.pass(10 * MINUTE);

  expect(rewound).toEqual(['one', 'two']);
  await expectKept(at, { ranAhead: true });
  expect(startsOf(journal, 'one')).toEqual(startsOf(journal, 'two'));
  expect(startsOf(journal, 'two').at(-1)).toBe('2026-03-01T00:30');
});

describe('the command', () => {
  test('takes back what a server did whose clock was days ahead, and the audit is clean', async () => {
    const days = 2 * DAY;
    // A machine that is right by the clock of this one, on which the command is called.
    const at = await scene(everySituation, { from: Date.now() - HOUR, aheadMs: days });
    await intoTheMiddle(at);
    at.process.kill();
    const env = { PUNCTUAL_DB: at.path, USER: 'ann' };

    const { status, out } = call('jobs.ts', ['reset-clock'], env);
    const audit = call('audit.ts', [], env);
    const again = call('jobs.ts', ['reset-clock'], env);

    expect(status).toBe(0);
    expect(out).toMatch(/^the clock is accepted as it is: 20/m);
    expect(out).toMatch(/^minute goes on from now/m);
    expect(audit.out).toMatch(/: 0 unexplained gaps$/m);
    expect(again.out.trim().split('\n')).toHaveLength(1);
  });
});

test('a clock that was never set is not accepted, and no database is made by it', async () => {
  const at = await scene(() => []);
  const { machine, process } = at;
  machine.setTo(25 * SECOND);

  const made = at.another({ path: `${at.path}-new` });

  const said = "this machine's clock shows 1970-01-01T00:00:25.000Z, so it was never set";
  await expect(made).rejects.toThrow(`no database is made: ${said}`);
  await expect(process.store.resetClock('ann')).rejects.toThrow(`not accepted: ${said}`);
  // One that is known goes on as soon as it is right.
  const other = await at.another();
  machine.setRight();
  expect((await other.store.time()).unsteady).toBeNull();
});
