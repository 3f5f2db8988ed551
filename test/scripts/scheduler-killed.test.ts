import { expect, test } from 'vitest';
import { fakeScheduler, type FakeScheduler } from '../triggers/fake-scheduler.ts';
import { begin, callBeside } from './call.ts';
import { GOOGLE, jobsModule } from './examined.ts';

/** `scheduler:sync --apply` ended by a signal, at each of its calls: the next one finishes. */

const WORDS = ['--offline', '--apply'];
const JOBS = ['one', 'two'].map((name) => ({ name, schedule: '30 2 * * *' }));
const [ONE, TWO] = ['punctual-default-job-one', 'punctual-default-job-two'];
const STALE = 'punctual-default-job-stale';

const settingsOf = ({ address }: FakeScheduler): Record<string, string> => ({
  GOOGLE_CLOUD_PROJECT: 'shop',
  ...GOOGLE,
  PUNCTUAL_SCHEDULER_ENDPOINT: address,
});

let madeBefore: FakeScheduler['jobs'] | undefined;

/** What an apply of other jobs made: the same for all tests. */
async function others(): Promise<FakeScheduler['jobs']> {
  const fake = await fakeScheduler();
  const jobs = jobsModule(...JOBS.slice(0, 1), { ...JOBS[1], name: 'stale' });
  await callBeside('scheduler-sync.ts', WORDS, { ...settingsOf(fake), ...jobs });
  return fake.jobs;
}

/** A Cloud Scheduler with a job too many, one that is changed, and one too few. */
async function outOfStep() {
  const fake = await fakeScheduler();
  madeBefore ??= await others();
  for (const [id, made] of structuredClone(madeBefore)) fake.jobs.set(id, made);
  fake.jobs.get(ONE)!.schedule = '0 4 * * *';
  return { fake, env: { ...settingsOf(fake), ...jobsModule(...JOBS) } };
}

test.each([
  ['SIGKILL', 'before', 'createJob'],
  ['SIGKILL', 'afterwards', 'createJob'],
  ['SIGKILL', 'before', 'updateJob'],
  ['SIGKILL', 'afterwards', 'updateJob'],
  ['SIGKILL', 'before', 'deleteJob'],
  ['SIGKILL', 'afterwards', 'deleteJob'],
  ['SIGINT', 'afterwards', 'createJob'],
] as const)(
  '%s %s %s: the next apply finishes, and nothing is made twice',
  async (signal, when, write) => {
    const { fake, env } = await outOfStep();
    const applying = begin('scheduler-sync.ts', WORDS, env);
    fake[when] = (method) => {
      if (method !== write) return;
      applying.child.kill(signal);
      // Nobody hears it any more.
      throw Object.assign(new Error('gone'), { code: 14, details: 'gone' });
    };

    const killed = await applying.ended;
    fake.before = fake.afterwards = () => undefined;
    const finished = await callBeside('scheduler-sync.ts', WORDS, env);
    const checked = await callBeside('scheduler-sync.ts', ['--offline', '--check'], env);

    expect(killed.status).toBe(signal);
    expect([finished.status, checked.status]).toEqual([0, 0]);
    expect([...fake.jobs.keys()].toSorted()).toEqual([ONE, TWO, 'punctual-default-tick']);
    expect(fake.jobs.get(ONE)?.schedule).toBe('30 2 * * *');
    expect(fake.jobs.has(STALE)).toBe(false);
    const made = fake.calls.filter((call) => call === `createJob ${TWO}`);
    expect(made.length).toBeLessThanOrEqual(when === 'before' && write === 'createJob' ? 2 : 1);
  },
);
