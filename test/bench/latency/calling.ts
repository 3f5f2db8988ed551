import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { defineJob } from '../../../server/core/job.ts';
import { runNow } from '../../../server/core/run-now.ts';
import type { Service } from '../../../server/service.ts';
import { runRequest } from '../../builders.ts';
import { quantile } from '../../load/figures.ts';
import { openService } from '../file-service.ts';
import type { Bar, Table } from '../section.ts';
import { commits, openBare } from './bare.ts';

/*
 * From the call that asks for a run to the first line of its handler. The run and its claim are on
 * record by then.
 */

const ROUNDS = 5;
/** Of one at a time, in each round. */
const TIMES = 60;
const AT_ONCE = 16;
/** What was called before is over by then, its end on record. */
const QUIET_MS = 15;

/** What BullMQ took where that was measured (issue 10), at the same durability. */
const BULLMQ = { full: [2.4, 4.5], normal: [1.5, 3.2] } as const;
const DURABILITIES = ['full', 'normal'] as const;
type Durability = (typeof DURABILITIES)[number];

/** Gives the ms of some calls. */
type Case = () => Promise<number[]>;

export async function calling(
  say: (doing: string) => void,
): Promise<{ table: Table; bars: Bar[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const ends: (() => unknown)[] = [];
  try {
    const cases = new Map<string, Case>();
    for (const durability of DURABILITIES) {
      const bare = openBare(join(folder, `bare-${durability}.db`), durability);
      const { service, call } = await open(join(folder, `${durability}.db`), durability);
      ends.push(
        () => bare.close(),
        () => service.stop(),
      );
      cases.set(name('bare commit', durability), () =>
        commits(bare, { times: TIMES, quietMs: QUIET_MS }),
      );
      cases.set(name('one at a time', durability), () => oneAtATime(call));
      cases.set(name('16 at once, of 16 jobs', durability), () => manyAtOnce(call));
    }
    return resultOf(await inTurns(cases, say));
  } finally {
    for (const end of ends) await end();
    rmSync(folder, { recursive: true, force: true });
  }
}

const name = (what: string, durability: Durability): string => `${what}, ${durability}`;

async function inTurns(cases: ReadonlyMap<string, Case>, say: (doing: string) => void) {
  const found = new Map<string, number[]>([...cases.keys()].map((what) => [what, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [what, run] of cases) {
      say(`${what}, round ${round}`);
      const ms = await run();
      // The first is the warm-up.
      if (round > 0) found.get(what)?.push(...ms);
    }
  }
  return found;
}

function resultOf(found: ReadonlyMap<string, number[]>): { table: Table; bars: Bar[] } {
  const rows = [...found].map(([what, ms]) => [
    what,
    quantile(ms, 0.5),
    quantile(ms, 0.99),
    ms.length,
  ]);
  const bars = DURABILITIES.flatMap((durability): Bar[] => {
    const ms = found.get(name('one at a time', durability)) ?? [];
    const bar = (part: string, measured: number, under: number): Bar => {
      const what = `call to start of the handler, ${durability}, ${part}`;
      return { what, measured, unit: 'ms', bound: { under } };
    };
    const [median, most] = BULLMQ[durability];
    return [bar('median', quantile(ms, 0.5), median), bar('p99', quantile(ms, 0.99), most)];
  });
  const columns = ['', 'median, ms', 'p99, ms', 'calls'];
  return { table: { title: 'Call to the first line of the handler', columns, rows }, bars };
}

/** Asks for a run of the job of this number, and gives the ms until it began, once it is over. */
type Call = (i: number) => Promise<number>;

async function open(path: string, durability: Durability) {
  const begun = new Map<string, number>();
  const jobs = Array.from({ length: AT_ONCE }, (_, i) =>
    defineJob({ name: `job-${i}`, run: ({ runId }) => void begun.set(runId, performance.now()) }),
  );
  const service = await openService({ path, jobs, env: { PUNCTUAL_DURABILITY: durability } });
  await service.listen();
  const call: Call = async (i) => {
    const from = performance.now();
    const runId = await started(service, `job-${i}`);
    await service.deps.runner.endOf(runId);
    const at = begun.get(runId);
    if (at === undefined) throw new Error(`${runId} has ended without having begun`);
    begun.delete(runId);
    return at - from;
  };
  return { service, call };
}

async function started({ deps }: Service, job: string): Promise<string> {
  const known = deps.registry.get(job);
  if (known === undefined) throw new Error(`no job ${job}`);
  const asked = await runNow(deps, known, runRequest());
  if (asked.kind !== 'created') throw new Error(`${job}: ${asked.kind}`);
  return asked.run.id;
}

async function oneAtATime(call: Call): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < TIMES; n += 1) {
    await pause(QUIET_MS);
    found.push(await call(n % AT_ONCE));
  }
  return found;
}

async function manyAtOnce(call: Call): Promise<number[]> {
  const found: number[] = [];
  while (found.length < TIMES) {
    await pause(QUIET_MS);
    found.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => call(i)))));
  }
  return found;
}
