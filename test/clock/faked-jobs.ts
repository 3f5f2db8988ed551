import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { defineJob, type Handler } from '../../server/core/job.ts';

/** Jobs of servers with a false clock: their handlers write down what they do, as faked.ts reads. */

const { TEST_FOLDER = '', TEST_SCHEDULE: schedule, TEST_ZONE: timeZone = 'UTC' } = process.env;

const write = (...words: unknown[]): void =>
  appendFileSync(join(TEST_FOLDER, 'journal'), `${words.join(' ')}\n`);

/**
 * Works for so long, and looks at its signal all the time. Says at the end for how long it could not
 * look, since its machine was busy with other things.
 */
const work =
  (ms: number): Handler =>
  async ({ job, runId, attempt, fence, trigger, scheduledAt, signal }) => {
    write('begin', process.pid, job, runId, attempt, fence, trigger, scheduledAt);
    const began = performance.now();
    let [last, stillMs] = [began, 0];
    while (last - began < ms && !signal.aborted) {
      await wait(Math.min(ms, 50));
      stillMs = Math.max(stillMs, performance.now() - last);
      last = performance.now();
    }
    write('end', process.pid, job, runId, attempt, Math.ceil(stillMs));
    signal.throwIfAborted();
  };

export default [
  defineJob({
    name: 'fixed',
    schedule: schedule ?? '0 0 1 1 *',
    timeZone,
    catchUp: { runs: 'all', within: '1d' },
    // A server that is killed may be late for it, and take it along.
    onLost: 'retry',
    run: work(50),
  }),
  defineJob({ name: 'second', schedule: '* * * * * *', timeZone, run: work(50) }),
  defineJob({
    name: 'long',
    schedule: '*/4 * * * * *',
    timeZone,
    overlap: 'queue',
    onLost: 'retry',
    retry: { attempts: 3 },
    run: work(3000),
  }),
];
