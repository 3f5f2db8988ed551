import { describe, expect, test } from 'vitest';
import { keepSchedulerNote, triggersHash } from '../../server/core/scheduler-note.ts';
import { keepSelfAudit } from '../../server/core/self-audit.ts';
import type { JobContext } from '../../server/core/job.ts';
import { byHand, job } from '../service.ts';
import { textOf } from '../views/builders.ts';
import { serve, type Ask } from './client.ts';

const words = async (ask: Ask): Promise<string> =>
  textOf({ markup: (await ask('GET', '/system')).text });

const audited = { jobs: 1, occurrences: 5, runs: 5, ranges: 0, gaps: [] };

test('all is well with a service that is awake', async () => {
  const { service, ask } = await serve([job({})]);
  await service.wake('00:01:00');
  service.timer.start();
  await service.settle();

  const page = await words(ask);

  expect(page).toContain('All is well');
  expect(page).toContain('Woken by this process’s own timer');
  expect(page).toContain('the same, within 0.1 s');
  expect(page).toContain('Place SQLite');
  expect(page).toMatch(/Punctual \d+\.\d+\.\d+, Node 24\.\d+\.\d+, SQLite 3\./);
  expect(page).toMatch(/commit: finish 1 /);
  await service.timer.stop();
});

test('reads are few, however many jobs there are', async () => {
  const jobs = Array.from({ length: 50 }, (_, i) => job({ name: `job-${i}` }));
  const { ask } = await serve(jobs);

  await words(ask);

  expect(await words(ask)).toMatch(/ 5 store reads, \d+ records?, /);
});

describe('the system page tells', () => {
  test('that nothing wakes the jobs', async () => {
    const { service, ask } = await serve([job({})], { env: { PUNCTUAL_WAKE: 'tick' } });
    await ask('POST', '/triggers/tick');
    await service.clock.advance(20 * 60_000);

    expect(await words(ask)).toMatch(/need a look The last wake-up was 20 minutes ago/);
  });

  test('which job came due and was not looked at', async () => {
    const { service, ask } = await serve([job({ name: 'left' })]);
    await service.clock.advance(10 * 60_000);

    expect(await words(ask)).toContain('1 job came due and was not looked at: left');
  });

  test('who holds which lease', async () => {
    const waits = byHand({
      name: 'slow',
      run: ({ signal }: JobContext) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    });
    const { service, ask } = await serve([waits]);
    await ask('POST', '/api/v1/jobs/slow/runs');
    await service.settle();

    const page = await words(ask);

    expect(page).toContain(`slow 1 ${service.deps.owner} this process`);
    expect(page).toContain('Leases held 1');
  });

  test('why a job is set aside', async () => {
    const { service, ask } = await serve([job({ name: 'odd' })]);
    const { version } = await service.store.read('odd');
    const until = service.clock.wall() + 60_000;
    await service.store.quarantine({ name: 'odd', version: version!, until, problem: 'no sense' });

    const page = await words(ask);

    expect(page).toContain('1 job can’t be decided about: odd');
    expect(page).toContain('Jobs set aside');
    expect(page).toContain('odd no sense');
  });

  test('what the last self-audit found', async () => {
    const { service, ask } = await serve([job({})]);
    const at = service.clock.wall();
    await keepSelfAudit(service.store, 'default', { audited, at, lookedBackTo: null });

    expect(await words(ask)).toContain('0 unexplained gaps since 1 Mar');
  });

  test('what npm run scheduler:sync last found, and whether the code changed since', async () => {
    const { service, ask } = await serve([job({ name: 'report' })], {
      env: { PUNCTUAL_WAKE: 'tick' },
    });
    const registry = triggersHash(service.deps.registry);
    const note = { inSync: true, steps: {}, registry, paused: ['report'] };

    const never = await words(ask);
    await keepSchedulerNote(service.store, 'default', { ...note, paused: [] });
    const inStep = await words(ask);
    await keepSchedulerNote(service.store, 'default', note);
    const resumed = await words(ask);
    await keepSchedulerNote(service.store, 'default', { ...note, registry: 'other' });
    const changed = await words(ask);
    await keepSchedulerNote(service.store, 'default', {
      ...note,
      inSync: false,
      steps: { create: 2 },
    });
    const behind = await words(ask);

    expect(never).toContain('Cloud Scheduler never compared');
    expect(inStep).toContain('in step when last compared, now');
    expect(inStep).toContain('All is well');
    expect(resumed).toContain('still paused, of jobs that are not: report');
    expect(changed).toContain('The code changed since Cloud Scheduler was compared');
    expect(behind).toContain('out of step now: 2 to create');
  });

  test('nothing of notes that make no sense', async () => {
    const { service, ask } = await serve([job({})], { env: { PUNCTUAL_WAKE: 'tick' } });
    for (const key of ['scheduler:default', 'audit:default', 'instances:default', 'tick:default']) {
      await service.store.writeMeta(key, { at: 'soon', steps: 7, x: null }, undefined);
    }

    const page = await words(ask);

    expect(page).toContain('Cloud Scheduler never compared');
    expect(page).toContain('Result none yet');
  });
});

test('the code changed for triggers only where a schedule, a zone or a given timeout did', async () => {
  const hashOf = async (jobs: Parameters<typeof serve>[0], env: Record<string, string> = {}) =>
    triggersHash((await serve(jobs, { env })).service.deps.registry);
  const plain = await hashOf([job({ name: 'a' }), job({ name: 'b' })]);

  expect(await hashOf([job({ name: 'b', description: 'x' }), job({ name: 'a' })])).toBe(plain);
  expect(await hashOf([job({ name: 'a', timeout: '20s' }), job({ name: 'b' })])).not.toBe(plain);
  expect(await hashOf([job({ name: 'a' }), job({ name: 'b', schedule: '5 * * * *' })])).not.toBe(
    plain,
  );
  // A timeout that is not given depends on the place.
  expect(await hashOf([job({ name: 'a' }), job({ name: 'b' })], { PUNCTUAL_WAKE: 'tick' })).toBe(
    plain,
  );
});
