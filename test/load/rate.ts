import { setTimeout as pause } from 'node:timers/promises';
import { account } from './account.ts';
import { quantile, spread } from './figures.ts';
import { latenessIn, scheduledOf } from './lateness.ts';
import { under, type Report } from './report.ts';
import { openPlace } from './server.ts';

/** As many runs a second as are asked for, for as long as told: does it keep up? */

export interface RateOptions {
  readonly perSecond: number;
  readonly ms: number;
}

const WARM_UP_MS = 5000;

export async function rate({ perSecond, ms }: RateOptions): Promise<Report> {
  const place = openPlace();
  try {
    const server = await place.start({ jobs: 'rate.ts', env: { LOAD_JOBS: String(perSecond) } });
    await pause(WARM_UP_MS);
    const from = Math.ceil(Date.now() / 1000) * 1000;
    const to = from + ms;
    await pause(to - Date.now() + WARM_UP_MS);
    const odd = await server.stop();
    const journal = place.journal();
    const { rows, wrong } = await account({ db: place.db, journal, waiting: true });
    const late = latenessIn(journal, { from, to }, () => true);
    const within = journal.filter(({ word, run }) => {
      const at = scheduledOf(run) ?? 0;
      return word === 'end' && at >= from && at < to;
    });
    return {
      title: `${perSecond} runs a second for ${ms / 1000} s`,
      rows: [['start after the second that was scheduled', spread(late)], ...rows],
      bars: [
        {
          what: 'full runs a second, of occurrences that were due',
          measured: within.length / (ms / 1000),
          unit: '',
          // Whatever is not kept up with is skipped, since its job is busy or behind.
          bound: { atLeast: perSecond },
        },
        under('start, p99', quantile(late, 0.99), 1000, 'ms'),
      ],
      wrong: [...wrong, ...place.errors(), ...odd],
    };
  } finally {
    await place.close();
  }
}
