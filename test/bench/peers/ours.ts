import { join } from 'node:path';
import { defineJob } from '../../../server/core/job.ts';
import { lifecycle, openService } from '../file-service.ts';
import { collect, fineClock, PLACES, type EverySecond, type Peer, type ToClose } from './peer.ts';

/** Ours in this process, its timer running as in a server. */
export async function openOurs(
  folder: string,
  durability: 'full' | 'normal',
  toClose: ToClose,
): Promise<Peer> {
  const startedAt: number[] = [];
  const jobs = PLACES.map((place) =>
    defineJob({
      name: `job-${place}`,
      run: () => void (startedAt[place] = performance.now()),
    }),
  );
  const path = join(folder, `${durability}.db`);
  const service = await openService({ path, jobs, env: { PUNCTUAL_DURABILITY: durability } });
  toClose(() => service.stop());
  const { deps, timer } = service;
  timer.start();
  return {
    name: `Punctual, ${durability}`,
    kind: durability,
    how: `PUNCTUAL_DURABILITY=${durability}, 16 jobs, the timer running`,
    measures: ['one at a time', '16 at once', 'call to start'],
    async lifecycle(place) {
      await lifecycle(service, `job-${place}`);
      return startedAt[place] ?? NaN;
    },
    async kept() {
      const read = await Promise.all(jobs.map(({ name }) => deps.store.read(name)));
      return read.reduce((sum, { record }) => sum + (record?.counters.succeeded ?? 0), 0);
    },
  };
}

/** A job of every second, woken by the timer; the run is on record before it starts. */
export function oursEverySecond(folder: string): EverySecond {
  let turn = 0;
  return {
    name: 'Punctual, full',
    how: 'the timer; each run is on record, synced, before it starts',
    async lateness(count) {
      const now = fineClock();
      const { take, all } = collect(count);
      const job = defineJob({
        name: 'every-second',
        schedule: '* * * * * *',
        run: ({ scheduledAt }) => take(now() - (scheduledAt ?? NaN)),
      });
      const path = join(folder, `every-second-${(turn += 1)}.db`);
      const service = await openService({ path, jobs: [job] });
      try {
        service.timer.start();
        return await all;
      } finally {
        await service.stop();
      }
    },
  };
}
