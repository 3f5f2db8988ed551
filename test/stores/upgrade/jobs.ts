import { setTimeout as wait } from 'node:timers/promises';
import { defineJob, type Handler, type Job } from '../../../server/core/job.ts';

/*
 * What earlier versions worked on when they wrote the fixtures beside this: something of everything
 * that they knew. `make.ts` puts this file into each version's tree; what a version does not know
 * yet it finds wrong, and that is left out.
 */

/** The second start has another registry than the first: as after a deploy. */
const isFirst = process.env['TEST_STEP'] === '1';

/** A test of what they left has no time to let them work for minutes. */
const share = Number(process.env['TEST_SHARE'] ?? 1);

const works =
  (ms: number): Handler =>
  async ({ log, signal }) => {
    log('at work', { ms });
    await wait(ms * share, undefined, { signal });
    return { after: ms };
  };

const fails: Handler = ({ attempt, log }) => {
  log.warn(`attempt ${attempt}`);
  if (attempt < 3) throw new TypeError(`not this time: ${attempt}`);
};

/** So many lines that they stand in several chunks. */
const talks: Handler = async ({ log, progress }) => {
  for (let n = 0; n < 300; n += 1) {
    log(`line ${n} ${'of many '.repeat(40)}`, { n, text: 'é\u0000\u{1F600}' });
    if (n % 100 === 0) progress(n, 300);
    if (n % 100 === 50) await wait(1100 * share);
  }
  return { lines: 300, deep: { a: [1, null, 'ü'] } };
};

/** Goes wrong when its run is over already. */
const late: Handler = () => {
  if (share === 0) return;
  setTimeout(() => {
    throw new Error('nobody waited for this');
  }, 300);
};

const everyMinute = '* * * * *';
const retry = { attempts: 3, backoff: { from: '2s', factor: 1, jitter: 0 } } as const;
const HOUR = '1h';

const jobs: readonly Job[] = [
  defineJob({ name: 'quick', schedule: everyMinute, tags: ['a', 'b'], run: () => ({ ok: true }) }),
  defineJob({ name: 'skips', schedule: everyMinute, run: works(70_000) }),
  defineJob({ name: 'queues', schedule: everyMinute, overlap: 'queue', run: works(70_000) }),
  defineJob({ name: 'replaces', schedule: everyMinute, overlap: 'replace', run: works(400_000) }),
  defineJob({ name: 'allows', schedule: everyMinute, overlap: { allow: 2 }, run: works(90_000) }),
  defineJob({
    name: 'fails',
    schedule: everyMinute,
    run: fails,
    timeout: '5s',
    description: 'Ümläute',
  }),
  defineJob({ name: 'retries', schedule: everyMinute, run: fails, retry }),
  defineJob({
    name: 'waits-for-retry',
    schedule: everyMinute,
    retry: { attempts: 2, backoff: { from: HOUR, to: HOUR, jitter: 0 } },
    run: fails,
  }),
  defineJob({ name: 'times-out', schedule: everyMinute, timeout: '3s', run: works(60_000) }),
  defineJob({ name: 'talks', overlap: 'queue', run: talks }),
  defineJob({ name: 'late', schedule: everyMinute, run: late }),
  defineJob({ name: 'pauses', schedule: everyMinute, run: works(10) }),
  defineJob({ name: 'paused-once', schedule: everyMinute, run: works(10) }),
  defineJob({ name: 'hand', overlap: 'queue', run: works(500_000) }),
  defineJob({ name: 'cancels', run: works(500_000) }),
  defineJob({ name: 'is-lost', run: works(500_000) }),
  defineJob({ name: 'is-retried', onLost: 'retry', run: works(500_000) }),
  defineJob({
    name: 'catches-up',
    schedule: everyMinute,
    catchUp: { runs: 'all', within: '1d', max: 3 },
    run: works(10),
  }),
  defineJob({ name: 'filled', schedule: '7 * * * *', run: works(20_000) }),
  defineJob({ name: 'moves', schedule: isFirst ? '*/2 * * * *' : everyMinute, run: works(10) }),
  // Known to later versions only.
  defineJob({
    name: 'zoned',
    schedule: '*/1 * * * *',
    timeZone: 'America/New_York',
    run: works(10),
  }),
  defineJob({ name: 'several', schedule: [everyMinute, 'H 3 * * *'], run: works(10) }),
  defineJob({ name: 'each-twenty', every: '20s', run: works(10) }),
  // Not on Firestore.
  ...(process.env['PUNCTUAL_STORE'] === 'firestore'
    ? []
    : [defineJob({ name: 'seconds', schedule: '30 * * * * *', run: works(10) })]),
];

const leaves = defineJob({ name: 'leaves', schedule: everyMinute, run: works(10) });

/** Where a version knows of secrets, a module of its own has a job with one. */
const secret: unknown = await import('./secret-job.ts').then(
  (module) => module.secretJob,
  () => undefined,
);

export default [...jobs, ...(isFirst ? [leaves] : []), secret].filter(
  (job): job is Job => job !== undefined && (job as Job).problems.length === 0,
);
