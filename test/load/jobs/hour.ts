import { defineJob, type Handler, type Job } from '../../../server/core/job.ts';
import { sleep, type Clock } from '../../../server/core/time.ts';
import { quick, written } from '../handlers.ts';

/**
 * As a large service has them: most of each hour, at any of its minutes; a few of each minute, and
 * some of once a day. Of 10,000 jobs 200 are due in each minute, all of them in its first second.
 */
export function hourJobs(count: number, clock: Clock): readonly Job[] {
  const often = Math.round(count / 250);
  const daily = Math.round(count * 0.036);
  return Array.from({ length: count }, (_, n) =>
    defineJob({
      name: `job-${String(n).padStart(5, '0')}`,
      tags: [`team-${n % 20}`],
      schedule: scheduleOf(n, { often, daily }),
      retry: { attempts: 2, backoff: { from: '5s' } },
      run: handlerOf(n, clock),
    }),
  );
}

function scheduleOf(
  n: number,
  { often, daily }: { readonly often: number; readonly daily: number },
): string {
  if (n < often) return '* * * * *';
  const minute = n % 60;
  return n < often + daily ? `${minute} ${n % 24} * * *` : `${minute} * * * *`;
}

/** Half do nothing; the others say something, take their time, or fail at first. */
function handlerOf(n: number, clock: Clock): Handler {
  // Of those that are due in the same minute each kind has its share.
  switch ((n + Math.floor(n / 60)) % 10) {
    case 5:
    case 6:
      return written(({ log, progress }) => {
        for (let line = 0; line < 5; line++) log(`page ${line}`, { line });
        progress(5, 5);
        return { pages: 5 };
      });
    case 7:
      return written(({ attempt }) => {
        if (attempt === 1) throw new Error('the shop answered 503');
      });
    case 8:
      return written(({ signal }) => sleep(clock, 2000, signal));
    case 9:
      return written(({ signal }) => sleep(clock, 20_000, signal));
    default:
      return quick;
  }
}
