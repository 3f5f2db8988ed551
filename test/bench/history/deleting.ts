import { setTimeout as pause } from 'node:timers/promises';
import { pruneHistory } from '../../../jobs/prune-history.ts';
import { defineJob, type Job } from '../../../server/core/job.ts';
import { runNow } from '../../../server/core/run-now.ts';
import type { Service } from '../../../server/service.ts';
import { runRequest } from '../../builders.ts';
import { lifecycle } from '../file-service.ts';
import { median } from '../measure.ts';
import type { Bar, Result } from '../section.ts';
import type { Filled } from './filled.ts';

/*
 * How much later a handler begins while retention deletes. A start is asked for every so often,
 * whether the one before has come or not, and is counted from when it was to be asked for: so what
 * holds the process up counts for all that it holds up.
 */

const ROUNDS = 10;
/** Of the time that the history lies in, so much more goes in each round: 10,000 runs of a million. */
const SHARE = 0.01;
/** And so many more of the busiest job, by their number. */
const BEYOND = 500;
const WARM_UP_MS = 5000;
const EVERY_MS = 20;
const STARTERS = 8;
const DAY_MS = 86_400_000;
const MOST_LATER_MS = 20;

const startedAt = new Map<string, number>();

const starters: readonly Job[] = Array.from({ length: STARTERS }, (_, i) =>
  defineJob({
    name: `start-${i}`,
    overlap: { allow: 20 },
    run: ({ idempotencyKey }) => void startedAt.set(idempotencyKey, performance.now()),
  }),
);

/** What a service needs for it besides the jobs whose history it is. */
export const deletingJobs: readonly Job[] = [...starters, pruneHistory];

/** Milliseconds from when each start was due to when its handler began. */
type Delays = readonly number[];

interface Round {
  readonly calm: Delays;
  readonly meanwhile: Delays;
}

export async function measureDeleting(
  { service, path, from, until, ofBusy }: Filled,
  say: (doing: string) => void,
): Promise<Result> {
  const before = process.env['PUNCTUAL_DB'];
  // The job that deletes opens the store by itself.
  process.env['PUNCTUAL_DB'] = path;
  const rounds: Round[] = [];
  let deleted = 0;
  await startsDuring(service, pause(WARM_UP_MS));
  for (let round = 1; round <= ROUNDS; round += 1) {
    say(`starts, while retention deletes, round ${round}`);
    const maxAgeMs = Date.now() - from - (until - from) * SHARE * round;
    const maxRuns = Math.round(ofBusy * (1 - SHARE * round)) - BEYOND * round;
    const pruning = prune(service, { maxAgeMs, maxRuns });
    const meanwhile = await startsDuring(service, pruning);
    deleted += await pruning;
    say(`as many starts, left in peace, round ${round}`);
    const calm = await startsDuring(service, pause(meanwhile.length * EVERY_MS));
    rounds.push({ calm, meanwhile });
  }
  if (before === undefined) delete process.env['PUNCTUAL_DB'];
  else process.env['PUNCTUAL_DB'] = before;
  return resultOf(rounds, deleted);
}

/** Asks for starts until that is done. */
async function startsDuring(service: Service, during: Promise<unknown>): Promise<Delays> {
  const from = performance.now();
  const asking: Promise<{ readonly id: string; readonly dueAt: number }>[] = [];
  let over = false;
  void during.catch(() => undefined).finally(() => (over = true));
  for (let n = 0; !over; n += 1) {
    const dueAt = from + n * EVERY_MS;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await pause(waitMs);
    asking.push(ask(service, n % STARTERS).then((id) => ({ id, dueAt })));
  }
  await during;
  const asked = await Promise.all(asking);
  for (const { id } of asked) await service.deps.runner.endOf(id);
  return asked.map(({ id, dueAt }) => {
    const at = startedAt.get(id);
    if (at === undefined) throw new Error(`${id} did not start`);
    startedAt.delete(id);
    return at - dueAt;
  });
}

async function ask({ deps }: Service, starter: number): Promise<string> {
  const job = starters[starter];
  if (job === undefined) throw new Error(`there is no starter ${starter}`);
  const asked = await runNow(deps, job, runRequest());
  if (asked.kind !== 'created') throw new Error(`${job.name}: ${asked.kind}`);
  return asked.run.id;
}

/** Runs retention as it is shipped; gives how many records went. */
async function prune(
  service: Service,
  kept: { readonly maxAgeMs: number; readonly maxRuns: number },
): Promise<number> {
  const input = { maxAgeDays: kept.maxAgeMs / DAY_MS, maxRuns: kept.maxRuns };
  const run = await service.deps.store.getRun(
    await lifecycle(service, pruneHistory.name, { input }),
  );
  const { deleted }: { deleted?: number } = JSON.parse(run?.output ?? '{}');
  if (deleted === undefined) throw new Error(`retention: ${run?.state} ${run?.error?.message}`);
  return deleted;
}

function resultOf(rounds: readonly Round[], deleted: number): Result {
  const all = (which: keyof Round): Delays => rounds.flatMap((round) => round[which]);
  const [calm, meanwhile] = [all('calm'), all('meanwhile')];
  const row = (what: string, of: Delays) => [what, of.length, ...SHARES.map((n) => within(of, n))];
  const later = median(rounds.map((one) => within(one.meanwhile, 0.99) - within(one.calm, 0.99)));
  const latest = within(meanwhile, 1) - within(calm, 1);
  const bar = (what: string, measured: number): Bar => {
    return { what, measured, unit: 'ms', bound: { under: MOST_LATER_MS } };
  };
  return {
    tables: [
      {
        title: `From call to handler, ms, while retention deletes ${deleted} runs in all`,
        columns: ['', 'starts', 'median', '99 %', 'latest'],
        rows: [row('left in peace', calm), row('meanwhile', meanwhile)],
      },
    ],
    bars: [
      bar('99 % of starts while retention deletes: later by', later),
      bar('the latest start while retention deletes: later by', latest),
    ],
  };
}

const SHARES = [0.5, 0.99, 1] as const;

/** What so large a share of them stays within. */
function within(delays: Delays, share: number): number {
  const sorted = delays.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}
