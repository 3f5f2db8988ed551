import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { JobContext } from '../../../server/core/context.ts';
import { defineJob } from '../../../server/core/job.ts';
import { quantile } from '../../load/figures.ts';
import { openService } from '../file-service.ts';
import type { Bar, Table } from '../section.ts';

/*
 * How long after its second the first line of a handler runs, by the machine's wall clock, when the
 * service's own timer wakes it. The run and its claim are on record by then, durably. Beside it,
 * half a second later each, a timer of Node's that does nothing else.
 */

const SECOND_MS = 1000;
const MEASURED_MS = 100 * SECOND_MS;
const WARM_UP_MS = 10 * SECOND_MS;
const MANY = 200;
/** Each fifth second belongs to the many, the others to the one. */
const OF_MANY = '*/5 * * * * *';
const OF_ONE = '1-4,6-9,11-14,16-19,21-24,26-29,31-34,36-39,41-44,46-49,51-54,56-59 * * * * *';

interface Found {
  readonly one: number[];
  readonly many: number[];
  readonly bare: number[];
}

export async function onTime(say: (doing: string) => void): Promise<{ table: Table; bars: Bar[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const found: Found = { one: [], many: [], bare: [] };
  const clock = new WallClock();
  let from = Infinity;
  const into =
    (list: number[]) =>
    ({ scheduledAt }: JobContext): void => {
      const at = clock.now();
      if (scheduledAt >= from) list.push(at - scheduledAt);
    };
  const jobs = [
    defineJob({ name: 'one', schedule: OF_ONE, run: into(found.one) }),
    ...Array.from({ length: MANY }, (_, i) =>
      defineJob({ name: `many-${i}`, schedule: OF_MANY, run: into(found.many) }),
    ),
  ];
  const service = await openService({ path: join(folder, 'punctual.db'), jobs });
  try {
    say('warming up');
    await service.listen();
    await pause(WARM_UP_MS);
    say(`schedules, for ${MEASURED_MS / SECOND_MS} s`);
    from = Math.ceil(clock.now() / SECOND_MS) * SECOND_MS;
    await bareTimers(clock, { until: from + MEASURED_MS, found: found.bare });
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return resultOf(found);
}

async function bareTimers(
  clock: WallClock,
  { until, found }: { readonly until: number; readonly found: number[] },
): Promise<void> {
  for (;;) {
    clock.set();
    const now = clock.now();
    const at = Math.floor(now / SECOND_MS) * SECOND_MS + 1.5 * SECOND_MS;
    if (at > until) return;
    // What is left of a millisecond does not count for a timer.
    await pause(Math.ceil(at - now));
    found.push(clock.now() - at);
  }
}

/** The wall clock, finer than the whole milliseconds that it is told in. */
class WallClock {
  #offset = 0;

  constructor() {
    this.set();
  }

  now(): number {
    return performance.now() + this.#offset;
  }

  /** Waits for the edge of a millisecond. */
  set(): void {
    const before = Date.now();
    let now = before;
    while (now === before) now = Date.now();
    this.#offset = now - performance.now();
  }
}

function resultOf({ one, many, bare }: Found): { table: Table; bars: Bar[] } {
  const row = (what: string, ms: readonly number[]): (string | number)[] => [
    what,
    quantile(ms, 0.5),
    quantile(ms, 0.99),
    quantile(ms, 1),
    ms.length,
  ];
  const bar = (what: string, measured: number, under: number): Bar => {
    return { what: `late, ${what}`, measured, unit: 'ms', bound: { under } };
  };
  const columns = ['', 'median, ms', 'p99, ms', 'most, ms', 'starts'];
  const rows = [
    row('a bare timer, nothing on record', bare),
    row('one job due', one),
    row(`${MANY} jobs due in the same second`, many),
  ];
  return {
    table: { title: `Late against a schedule of seconds, ${MANY + 1} jobs`, columns, rows },
    bars: [
      bar('one job due, median', quantile(one, 0.5), 3),
      bar('one job due, p99', quantile(one, 0.99), 10),
      bar(`${MANY} jobs due at once, median`, quantile(many, 0.5), 5),
      bar(`${MANY} jobs due at once, p99`, quantile(many, 0.99), 20),
    ],
  };
}
