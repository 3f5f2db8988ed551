import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { defineJob, type Handler, type JobContext } from '../../server/core/job.ts';

/*
 * Jobs for disks in trouble. What their handlers do they tell on the process's output, which is a
 * pipe: a file might be on the very disk.
 */

const folder = process.env['TEST_FOLDER'] ?? '';

/** The file that ends the waiting. */
export const GO = 'go';

const tell = (word: string, { runId, attempt, fence }: JobContext): void =>
  void process.stdout.write(`told ${word} ${runId} ${attempt} ${fence}\n`);

const quick: Handler = (context) => {
  tell('begin', context);
  context.log(`attempt ${context.attempt}`);
  tell('end', context);
};

const failing: Handler = (context) => {
  tell('begin', context);
  tell('end', context);
  if (context.attempt === 1) throw new Error('not this time');
};

/** Works until a file says that it may end, and says so in its log all the time. */
const waiting: Handler = async (context) => {
  const { log, signal } = context;
  tell('begin', context);
  for (let n = 0; !existsSync(join(folder, GO)); n += 1) {
    log(`line ${n}`);
    await wait(50);
    if (!signal.aborted) continue;
    tell(String(signal.reason.reason), context);
    throw signal.reason;
  }
  tell('end', context);
  return { done: true };
};

const backoff = { from: '1s', jitter: 0 } as const;

export default [
  defineJob({ name: 'each-second', schedule: '* * * * * *', run: quick }),
  defineJob({ name: 'by-hand', run: quick }),
  defineJob({ name: 'failing', every: '2s', retry: { attempts: 2, backoff }, run: failing }),
  defineJob({ name: 'patient', run: waiting }),
  // Its lease is over long before anybody makes room.
  defineJob({ name: 'soon-lost', lease: '2s', run: waiting }),
];
