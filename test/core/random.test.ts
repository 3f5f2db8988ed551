import { expect, test } from 'vitest';
import type { JobDefinition } from '../../server/core/job.ts';
import { occurrencesOf } from '../../server/core/undecided.ts';
import { at, PureJob } from './pure-job.ts';

/**
 * One job under random policies, met by random events at random times, thousands of times: wakes
 * with and without room, ends of every kind, deaths, requests, cancels, pauses, changed
 * definitions. A seed that fails is printed, and gives the same history again.
 */

const SEEDS = 400;
const STEPS = 120;

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class World {
  readonly #random: () => number;
  readonly #specs: { schedule: string; timeZone: string; from: number }[] = [];
  readonly job: PureJob;
  now = at('00:00:30');
  #definition: Partial<JobDefinition>;
  #ids = 0;

  constructor(seed: number) {
    this.#random = mulberry(seed);
    this.#definition = this.#policies();
    this.job = new PureJob(this.#definition, this.now);
    this.#noteSchedule();
  }

  #pick<Value>(...values: readonly Value[]): Value {
    return values[Math.floor(this.#random() * values.length)] as Value;
  }

  #policies(): Partial<JobDefinition> {
    return {
      schedule: this.#pick('* * * * *', '*/5 * * * *', '*/7 * * * *', '0 * * * *'),
      overlap: this.#pick<JobDefinition['overlap'] & {}>(
        'skip',
        'queue',
        'replace',
        { allow: 2 },
        { allow: 3 },
      ),
      catchUp: {
        runs: this.#pick('none', 'latest', 'all'),
        within: this.#pick('5m', '1h', '6h'),
        max: this.#pick(1, 3, 10),
      },
      retry: {
        attempts: this.#pick(2, 3),
        backoff: { from: this.#pick('10s', '4m'), to: '10m', jitter: 0 },
      },
      onLost: this.#pick('fail', 'retry'),
    };
  }

  #noteSchedule(): void {
    const schedule = String(this.#definition.schedule ?? '');
    if (this.#specs.at(-1)?.schedule === schedule) return;
    this.#specs.push({ schedule, timeZone: 'UTC', from: this.now });
  }

  step(): void {
    const { job } = this;
    this.now += this.#pick(0, 1, 500, 5000, 30_000, 61_000, 200_000, 3_000_000);
    const attempts = Object.keys(job.record?.active ?? {});
    const attemptId = this.#pick(...attempts, '');
    const runId = this.#pick(...job.runs.keys(), 'job!none');
    const by = null;
    const acts: (() => unknown)[] = [
      () => this.#wake(this.#pick(true, true, true, false)),
      () => this.#wake(true),
      () =>
        attemptId !== '' &&
        job.finish(attemptId, this.now, this.#outcome(), this.#pick(true, false)),
      () => attemptId !== '' && job.finish(attemptId, this.now, 'succeeded'),
      () => job.send({ kind: 'renew', attemptId, note: null }, this.now),
      () => job.manual(`m${this.#ids++}`, this.now, this.#pick(false, false, true)),
      () => job.send({ kind: 'cancel', runId, by }, this.now),
      () => job.send({ kind: 'free', runId, by }, this.now),
      () => job.send({ kind: 'pause', by, note: null, until: this.#until() }, this.now),
      () => job.send({ kind: 'resume', by }, this.now),
      () => this.#backfill(),
      () => this.#redefine(),
      () => this.#random() < 0.2 && job.send({ kind: 'retire' }, this.now),
      () => (job.unsteady = this.#pick(null, null, null, 'the clock jumped')),
    ];
    this.#pick(...acts)();
    this.#check();
  }

  #outcome() {
    return this.#pick('succeeded', 'failed', 'timed_out', 'cancelled', 'interrupted');
  }

  #until(): number | null {
    return this.#pick(null, this.now + 90_000, this.now + 3_600_000);
  }

  #backfill(): void {
    const from = this.now - 1_800_000;
    const id = `b${this.#ids++}`;
    this.job.send({ kind: 'backfill', id, from, to: this.now - 60_000, by: null }, this.now);
  }

  #redefine(): void {
    this.#definition = this.#policies();
    this.job.define(this.#definition, this.now);
    this.#noteSchedule();
  }

  /** A wake-up before its time does nothing; one that does nothing leaves nothing overdue. */
  #wake(canRun: boolean): void {
    const { job, now } = this;
    const due = job.record?.nextActionAt ?? Infinity;
    const stepped = job.send({ kind: 'wake' }, now, canRun);
    if (now < due && stepped.kind !== 'nothing') throw new Error(`did something before ${due}`);
    if (
      job.unsteady !== null &&
      stepped.kind === 'write' &&
      (stepped.runs.length > 0 || stepped.grant)
    ) {
      throw new Error('decided something by a clock that can not be trusted');
    }
    if (!canRun || job.unsteady !== null || stepped.kind !== 'nothing') return;
    const next = job.record?.nextActionAt ?? Infinity;
    if (next <= now) throw new Error(`has nothing to do, but is due since ${now - next} ms`);
  }

  #before = { watermark: 0, fence: 0 };
  readonly #fences = new Map<string, number>();
  readonly #pauses = new Map<number, number>();

  #check(): void {
    const { record } = this.job;
    if (record === undefined) return;
    const { watermark, fence } = record;
    if (watermark < this.#before.watermark) throw new Error('the watermark went back');
    if (watermark > this.now) throw new Error('the watermark lies in the future');
    if (fence < this.#before.fence) throw new Error('the fencing token went back');
    for (const [attemptId, lease] of Object.entries(record.active)) {
      if (this.#fences.has(attemptId)) continue;
      if (lease.fence <= Math.max(0, ...this.#fences.values())) throw new Error('an old token');
      this.#fences.set(attemptId, lease.fence);
    }
    this.#before = { watermark, fence };
    const { paused } = record;
    if (paused !== null) this.#pauses.set(paused.at, Math.min(this.now, paused.until ?? Infinity));
  }

  /** I18: paused time is never missed, and nothing scheduled starts for it. */
  pausedWrongly(): string[] {
    const specs = { name: 'job', schedules: this.#specs };
    const inside = [...this.#pauses].flatMap(([from, to]) =>
      occurrencesOf(specs, { from, to }, 99),
    );
    return [...this.job.runs.values()]
      .filter((run) => run.trigger === 'schedule' && run.reason !== 'paused')
      .filter(({ range, scheduledAt }) =>
        inside.some((when) =>
          range === null ? scheduledAt === when : range.from <= when && when <= range.to,
        ),
      )
      .map(({ id }) => id);
  }

  /** I1: every occurrence up to the watermark is in exactly one record. */
  gaps(): string[] {
    const { record, runs } = this.job;
    if (record === undefined) return [];
    const span = { from: record.registeredAt, to: record.watermark };
    const scheduled = [...runs.values()].filter((run) => run.trigger === 'schedule');
    return occurrencesOf({ name: 'job', schedules: this.#specs }, span, 100_000)
      .map((when) => {
        const claims = scheduled.filter(({ range, scheduledAt }) =>
          range === null ? scheduledAt === when : range.from <= when && when <= range.to,
        );
        return claims.length === 1 ? '' : `${new Date(when).toISOString()}: ${claims.length}`;
      })
      .filter((line) => line !== '');
  }

  /** What a quiet end looks like: everybody finishes, and all that waits gets its turn. */
  settle(): void {
    const { job } = this;
    job.unsteady = null;
    job.send({ kind: 'resume', by: null }, this.now);
    this.job.define(this.#definition, this.now);
    for (let turn = 0; turn < 3000; turn++) {
      const [attemptId] = Object.keys(job.record?.active ?? {});
      if (attemptId !== undefined) job.finish(attemptId, (this.now += 10), 'succeeded');
      else if (job.wake(this.now) === undefined && !this.#waits()) return;
      else this.now += this.#waits() ? 60_000 : 0;
    }
    throw new Error('never comes to rest');
  }

  #waits(): boolean {
    const { retries = [], queue = [], backfill } = this.job.record ?? {};
    return retries.length > 0 || queue.length > 0 || (backfill ?? null) !== null;
  }
}

test(`${SEEDS} random lives keep every rule, and leave every occurrence on record once`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      const world = new World(seed);
      for (let step = 0; step < STEPS; step++) world.step();
      expect(world.gaps()).toEqual([]);
      expect(world.pausedWrongly()).toEqual([]);
      world.settle();
      expect(world.gaps()).toEqual([]);
      const open = [...world.job.runs.values()].filter(({ endedAt, range }) => !endedAt && !range);
      expect(open).toEqual([]);
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
  }
}, 120_000);
