import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { defineJob } from '../../server/core/job.ts';
import { wakeAll } from '../../server/core/wake.ts';
import type { Service } from '../../server/service.ts';
import { openService } from './file-service.ts';
import { median } from './measure.ts';
import type { Result } from './section.ts';

/*
 * A wake-up of very many jobs, few of which are due: until each of those has begun, its claim on
 * record, durably. What deciding alone takes, without a store, is in the section `schedules`.
 */

const JOBS = 10_000;
const DUE = 100;
const EVERY_MS = 5000;
/** A trigger comes a moment after what it is for. */
const LATENESS_MS = 20;
const WARM_UPS = 2;
const ROUNDS = 7;
const LIMIT_MS = 60;
/** The month that is farthest away. */
const MONTH = ((new Date().getUTCMonth() + 6) % 12) + 1;
const REACH = { aheadMs: 0, thorough: true } as const;

export async function measure(say: (doing: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const begun: number[] = [];
  const jobs = Array.from({ length: JOBS }, (_, i) =>
    defineJob({
      name: `job-${i}`,
      // Those that are due are spread among the others.
      schedule: i % (JOBS / DUE) === 0 ? `*/${EVERY_MS / 1000} * * * * *` : `H H 15 ${MONTH} *`,
      timeZone: i % 2 === 0 ? 'UTC' : 'Europe/London',
      run: () => void begun.push(performance.now()),
    }),
  );
  say(`registering ${JOBS.toLocaleString('en')} jobs`);
  // There is room for all that is due. Its own timer stands still, since it does not listen.
  const env = { PUNCTUAL_MAX_RUNNING: String(2 * DUE) };
  const service = await openService({ path: join(folder, 'punctual.db'), jobs, env });
  try {
    const found = { all: [] as number[], first: [] as number[], none: [] as number[] };
    await wakeAll(service.deps, REACH);
    for (let round = -WARM_UPS; round < ROUNDS; round += 1) {
      say(`round ${round}`);
      const { all, first, none } = await one(service, begun);
      if (round < 0) continue;
      found.all.push(all);
      found.first.push(first);
      found.none.push(none);
    }
    return resultOf({
      all: median(found.all),
      first: median(found.first),
      none: median(found.none),
    });
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Figures {
  /** Until the last of those due had begun, and the first of them. */
  readonly all: number;
  readonly first: number;
  /** Of a wake-up right after that, for which there is nothing to do. */
  readonly none: number;
}

async function one({ deps }: Service, begun: number[]): Promise<Figures> {
  begun.length = 0;
  await pause(EVERY_MS - (Date.now() % EVERY_MS) + LATENESS_MS);
  const from = performance.now();
  const { started } = await wakeAll(deps, REACH);
  while (deps.runner.running > 0) await pause(1);
  if (started !== DUE || begun.length !== DUE) {
    throw new Error(`of ${DUE} jobs that are due ${started} were started, ${begun.length} began`);
  }
  const again = performance.now();
  await wakeAll(deps, REACH);
  return {
    all: Math.max(...begun) - from,
    first: Math.min(...begun) - from,
    none: performance.now() - again,
  };
}

function resultOf({ all, first, none }: Figures): Result {
  const title = `A wake-up of ${JOBS.toLocaleString('en')} registered jobs, durable`;
  const rows = [
    [`${DUE} due: until the first has begun`, first],
    [`${DUE} due: until all have begun`, all],
    ['nothing due', none],
  ];
  const what = `${JOBS.toLocaleString('en')} jobs, ${DUE} due: until all have begun`;
  return {
    tables: [{ title, columns: ['', 'ms'], rows }],
    bars: [{ what, measured: all, unit: 'ms', bound: { under: LIMIT_MS } }],
  };
}
