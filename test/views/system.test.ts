import { describe, expect, test } from 'vitest';
import { checksOf } from '../../views/system-checks.ts';
import { systemBody, type SystemView } from '../../views/system.ts';
import { html } from '../../views/html.ts';
import { lease } from '../builders.ts';
import { NOW, textOf } from './builders.ts';
import { awake, clean, facts, inStep, steady, systemView as view } from './system-view.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const text = (change: Partial<SystemView> = {}): string => textOf(systemBody(view(change)));

/** What wants a look, in words, without what to do about it. */
const wants = (change: Partial<SystemView>): string[] =>
  checksOf(view(change)).map(({ tone, what }) => `${tone}: ${textOf(html`${what}`)}`);

const byTick = (last: SystemView['wake']['last']): SystemView['wake'] => ({
  by: 'tick',
  last,
  trouble: null,
});

describe('the verdict', () => {
  test('is that all is well where nothing wants a look', () => {
    expect(text()).toMatch(/^System All is well/);
    expect(wants({})).toEqual([]);
  });

  test('counts what wants a look, tells what to do, and begins with what is bad', () => {
    const words = text({
      store: { ...steady, unsteady: 'the clock was set back by 3 min' },
      process: { ...facts, zones: '2023c' },
    });

    expect(words).toMatch(/^System 2 things need a look The store’s clock can’t be trusted/);
    expect(words).toContain('npm run jobs -- reset-clock');
    expect(words).toContain('Update Node');
  });
});

describe('what wants a look', () => {
  test.each([
    [
      'a clock that is off',
      { store: { ...steady, skewMs: 5000 } },
      [/^look: .* 5 s behind the st/],
    ],
    ['a clock that may be off', { store: { ...steady, skewMs: 5000, skewWithinMs: 4000 } }, []],
    [
      'wake-ups that fail',
      { wake: { by: 'timer', last: awake, trouble: 'disk full' } },
      [/^bad: Wake-ups fail: disk full/],
    ],
    [
      'a store that can not be written, which is why wake-ups fail',
      {
        store: { ...steady, trouble: 'disk full' },
        wake: { by: 'timer', last: awake, trouble: 'could not wake a' },
      },
      [/^bad: The store can’t be written: disk full/],
    ],
    ['none yet, just after the start', { wake: byTick(null), startedAt: NOW - MINUTE }, []],
    ['none since the start', { wake: byTick(null) }, [/^bad: Nothing has woken the jobs for 1 h/]],
    [
      'the last long ago',
      { wake: byTick({ ...awake, at: NOW - 9 * MINUTE }) },
      [/^bad: The last wake-up was 9 minutes ago/],
    ],
    [
      'one of another process, noted a while ago',
      { wake: byTick({ ...awake, at: NOW - 6 * MINUTE }) },
      [],
    ],
    [
      'one that came late',
      { wake: byTick({ ...awake, lagMs: 10 * MINUTE }) },
      [/^look: .* been due for 10 min/],
    ],
    [
      'jobs that nothing is decided about',
      { broken: [{ name: 'a', problem: 'no JSON' }] },
      [/^bad: 1 job can’t be decided about: a/],
    ],
    ['jobs left lying', { overdue: ['a', 'b'] }, [/^bad: 2 jobs came due and were not .*: a, b/]],
    [
      'a lease that ran out',
      { leases: [{ ...lease(), job: 'a', endsAt: NOW - 5 * MINUTE }] },
      [/^bad: 1 lease ran out, and no wake-up has noticed: a/],
    ],
    ['a lease that just ran out', { leases: [{ ...lease(), job: 'a', endsAt: NOW - 1 }] }, []],
    [
      'gaps that an audit found',
      { audit: { ...clean, gaps: 2, cleanSince: null } },
      [/^bad: The last self-audit found 2 unexplained gaps/],
    ],
    [
      'an audit of long ago',
      { audit: { ...clean, at: NOW - 70 * HOUR } },
      [/^look: The last self-audit was 3 days ago/],
    ],
    ['no audit yet', { audit: undefined }, []],
    [
      'another build in force',
      { builds: [{ build: 'b3', firstSeenAt: NOW, lastSeenAt: NOW, inForce: true }] },
      [/^look: This process is b2, but the definitions of b3 hold/],
    ],
  ] as const)('%s', (_name, change, expected) => {
    const found = wants(change as Partial<SystemView>);

    expect(found).toHaveLength(expected.length);
    for (const [i, words] of expected.entries()) expect(found[i]).toMatch(words);
  });
});

describe('Cloud Scheduler', () => {
  const scheduler = (
    change: Partial<NonNullable<SystemView['scheduler']>>,
  ): Partial<SystemView> => ({
    wake: byTick(awake),
    scheduler: { note: inStep, changed: false, resumed: [], ...change },
  });

  test('is not used where the process wakes itself', () => {
    expect(text()).toContain('Cloud Scheduler not used: this process wakes itself');
  });

  test('was never compared: that is told, and no fault', () => {
    expect(text(scheduler({ note: undefined }))).toContain(
      'never compared ( npm run scheduler:sync -- --check )',
    );
    expect(wants(scheduler({ note: undefined }))).toEqual([]);
  });

  test('is in step, or was before the code changed', () => {
    expect(text(scheduler({}))).toContain('in step when last compared, 3 hours ago');
    expect(wants(scheduler({}))).toEqual([]);
    expect(wants(scheduler({ changed: true }))).toEqual([
      'look: The code changed since Cloud Scheduler was compared, 3 hours ago',
    ]);
  });

  test('is out of step by what is left to do', () => {
    const note = { ...inStep, inSync: false, steps: { create: 2, blocked: 1 } };

    expect(wants(scheduler({ note }))).toEqual([
      'bad: Cloud Scheduler was out of step 3 hours ago: 2 to create, 1 blocked',
    ]);
  });

  test('still pauses triggers of jobs that were resumed', () => {
    expect(wants(scheduler({ resumed: ['report'] }))).toEqual([
      'look: Triggers in Cloud Scheduler are still paused, of jobs that are not: report',
    ]);
  });
});

describe('the facts', () => {
  test('tell the result of the last self-audit, or how to have one', () => {
    expect(text()).toContain('0 unexplained gaps since 3 May');
    expect(text({ audit: undefined })).toContain('run self-audit, or wait for its time');
    expect(text({ audit: undefined, auditJob: false })).toContain('put selfAudit on the list in');
    expect(
      text({ audit: { ...clean, gaps: 1, firstGaps: ['a 2026: no record'], cleanSince: null } }),
    ).toContain('1 unexplained gap');
  });

  test('tell who holds which lease since when, and what waits', () => {
    const held = lease({
      runId: 'a@x',
      owner: 'web-1:42',
      startedAt: NOW - 4 * MINUTE,
      renewedAt: NOW - 20_000,
    });
    const words = text({
      leases: [{ ...held, job: 'a', endsAt: NOW + 75_000 }],
      waiting: [
        { job: 'b', runId: 'b!1', state: 'queued', since: NOW - MINUTE, until: null },
        { job: 'c', runId: 'c@1', state: 'retry_wait', since: NOW, until: NOW + MINUTE },
      ],
    });

    expect(words).toContain('a 1 web-1:42 this process 4 min 20 s ago in 1 minute');
    expect(words).toContain('b queued 1 minute ago a slot is free');
    expect(words).toContain('c retry wait now in 1 minute');
  });

  test('tell the instances, and which build is in force', () => {
    const words = text({
      instances: [
        { owner: 'web-1:42', build: 'b2', since: NOW - HOUR, seenAt: NOW, running: 2 },
        { owner: 'web-2:7', build: 'b1', since: NOW - HOUR, seenAt: NOW - HOUR, running: 0 },
      ],
      builds: [
        { build: 'b2', firstSeenAt: NOW - HOUR, lastSeenAt: NOW, inForce: true },
        { build: 'b1', firstSeenAt: NOW - 9 * HOUR, lastSeenAt: NOW - HOUR, inForce: false },
      ],
    });

    expect(words).toContain('web-1:42 this process b2');
    expect(words).toContain('web-2:7 b1');
    expect(words).toMatch(/b2 60 minutes ago now hold b1 9 hours ago 60 minutes ago do not hold/);
  });

  test('tell what was asked of the store, or what that was billed', () => {
    const calls = new Map([
      ['read a job', 7],
      ['commit: finish', 1200],
    ]);
    const total = { reads: 0, writes: 2, deletes: 0 };
    const free = text({ calls });
    const billed = text({ calls, costs: new Map([['finish', total]]), total });

    expect(free).toContain('1,207 calls of this process since it started');
    expect(free).toContain('commit: finish 1,200 read a job 7');
    expect(billed).toContain('finish 0 2 0 all 0 2 0');
    expect(billed).not.toContain('1,207 calls');
  });

  test('of a hundred leases are no longer than a page', () => {
    const leases = Array.from({ length: 300 }, () => {
      const runId = `${'n'.repeat(63)}@20261123T110000Z`;
      return { ...lease({ runId, owner: 'o'.repeat(80) }), job: 'n'.repeat(63), endsAt: NOW };
    });
    const broken = leases.map(({ job }) => ({ name: job, problem: 'p'.repeat(300) }));
    const waiting = leases.map(({ job, runId }) => {
      return { job, runId, state: 'queued', since: NOW, until: null } as const;
    });

    const { markup } = systemBody(view({ leases, broken, waiting }));

    expect(textOf({ markup })).toContain('250 more not shown here');
    expect(Buffer.byteLength(markup)).toBeLessThan(120_000);
  });
});
