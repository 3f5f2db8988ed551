import { setTimeout as pause } from 'node:timers/promises';
import { account } from './account.ts';
import { largest, spread } from './figures.ts';
import { writeHistory } from './history.ts';
import { LARGE } from './jobs/retention.ts';
import { latenessIn, type Stretch } from './lateness.ts';
import { under, type Report } from './report.ts';
import { openPlace, until, type Server } from './server.ts';

/** Retention deletes a great many records, while jobs are due each second: do they notice? */

export interface RetentionOptions {
  readonly records: number;
  readonly deleted: number;
  readonly calmMs: number;
}

const DAY_MS = 86_400_000;
const BLOCKED_LIMIT_MS = 100;
const GIVE_UP_MS = 600_000;

export async function retention(options: RetentionOptions): Promise<Report> {
  const { records, deleted, calmMs } = options;
  const place = openPlace();
  try {
    await (await place.start({ jobs: 'retention.ts' })).end('SIGTERM');
    const to = Date.now() - DAY_MS;
    const schedules = [[LARGE, '* * * * * *']] as const;
    const written = writeHistory(place.db, schedules, { from: to - records * 1000, to });
    const server = await place.start({ jobs: 'retention.ts' });
    await prune(server, { maxAgeDays: 3650, maxRuns: records * 2 });
    const calmFrom = Date.now();
    await pause(calmMs);
    const calm = { from: calmFrom, to: Date.now() };
    await server.holds();
    // Half a second of slack: all that is older than the record after the last of them.
    const oldest = to - (records - deleted) * 1000 + 500;
    const maxAgeDays = (Date.now() - oldest) / DAY_MS;
    const output = await prune(server, { maxAgeDays, maxRuns: records * 2 });
    const pruned: Stretch = { from: calm.to, to: Date.now() };
    const { blockedMs } = await server.holds();
    const odd = await server.stop();
    const journal = place.journal();
    const { wrong } = await account({ db: place.db, journal, waiting: true });
    const isOther = (job: string): boolean => job.startsWith('other-');
    const [calmly, meanwhile] = [calm, pruned].map((one) => latenessIn(journal, one, isOther));
    const worse = largest(meanwhile ?? []) - largest(calmly ?? []);
    return {
      title: `${deleted} of ${written} records deleted`,
      rows: [
        ['took', `${pruned.to - pruned.from} ms`],
        ['what it said', JSON.stringify(output)],
        ['starts, left in peace', spread(calmly ?? [])],
        ['starts, meanwhile', spread(meanwhile ?? [])],
        ['the thread was not free for, at most', `${blockedMs.toFixed(0)} ms`],
      ],
      bars: [under('latest start, later by', worse, BLOCKED_LIMIT_MS, 'ms')],
      wrong: [
        ...wrong,
        ...place.errors(),
        ...(Math.abs(output.deleted - deleted) <= pruned.to - pruned.from
          ? []
          : [`${output.deleted} records were deleted`]),
        ...odd,
      ],
    };
  } finally {
    await place.close();
  }
}

/** Runs it by hand, and waits for its end. */
async function prune(
  { url }: Server,
  input: { readonly maxAgeDays: number; readonly maxRuns: number },
): Promise<{ readonly deleted: number }> {
  const answer = await fetch(`${url}/api/v1/jobs/prune-history/runs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ input }),
  });
  const { id }: { id: string } = Object(await answer.json());
  const look = async () => {
    const run = await fetch(`${url}/api/v1/runs/${encodeURIComponent(id)}`);
    const { state, output, error } = Object(await run.json());
    if (state === 'failed') throw new Error(JSON.stringify(error));
    return state === 'succeeded' ? (output as { deleted: number }) : undefined;
  };
  return await until('history is pruned', look, GIVE_UP_MS, 500);
}
