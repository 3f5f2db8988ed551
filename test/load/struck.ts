import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../simulation/random.ts';
import { account, FOUND_WITHIN_MS } from './account.ts';
import { spread } from './figures.ts';
import { isPunctual } from './jobs/soak.ts';
import { latenessIn, type Stretch } from './lateness.ts';
import type { Report } from './report.ts';
import { openPlace, type Server } from './server.ts';
import { visit, warmUp } from './visits.ts';

/** A server that is killed again and again, with the settings that everybody has. */

export interface StruckOptions {
  readonly ms: number;
  readonly seed: string;
  /** How long one lives, from and to. */
  readonly lives: readonly [fromMs: number, toMs: number];
  readonly onProgress?: (text: string) => void;
}

const PAUSE_MS = 2000;
/** So long after a start what fell due meanwhile is caught up with. */
const CATCHES_UP_MS = 5000;

export async function struck(options: StruckOptions): Promise<Report> {
  const { ms, seed, lives, onProgress } = options;
  const place = openPlace();
  const random = new Random(`struck/${seed}`);
  const calm: Stretch[] = [];
  const startMs: number[] = [];
  let now: Server | undefined;
  try {
    await warmUp(place);
    const until = Date.now() + ms;
    const leave = new AbortController();
    const visits = visit(() => now?.url, leave.signal);
    for (let kills = 0; ; kills++) {
      const before = Date.now();
      const server = await place.start({ jobs: 'soak.ts' });
      now = server;
      startMs.push(Date.now() - before);
      const from = Date.now() + CATCHES_UP_MS;
      const endsAt = Date.now() + random.between(...lives);
      const isLast = endsAt > until;
      // The last lives until all that was lost is found.
      await pause((isLast ? until + FOUND_WITHIN_MS : endsAt) - Date.now());
      calm.push({ from, to: Date.now() - 1000 });
      now = undefined;
      await server.end(isLast ? 'SIGTERM' : 'SIGKILL');
      if (isLast) break;
      onProgress?.(`killed ${kills + 1} times`);
      await pause(random.between(0, PAUSE_MS));
    }
    leave.abort();
    const journal = place.journal();
    const { rows, wrong } = await account({ db: place.db, journal, waiting: true });
    const late = calm.flatMap((stretch) => latenessIn(journal, stretch, isPunctual));
    const { tookMs, wrong: unseen } = await visits;
    return {
      title: `Killed ${startMs.length - 1} times, seed ${seed}`,
      rows: [
        ['starts, until it listened', spread(startMs)],
        ['start after the second that was scheduled', spread(late)],
        ['pages opened', spread(tookMs)],
        ...rows,
      ],
      bars: [],
      wrong: [...wrong, ...unseen, ...place.errors()],
    };
  } finally {
    await place.close();
  }
}
