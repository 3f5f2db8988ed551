import type { JobRecord } from '../../server/core/records.ts';
import type { Again, Commit, Committed, StoreTime } from '../../server/core/store.ts';
import { commit } from '../builders.ts';
import type { JobContext } from '../../server/core/context.ts';
import { sleep, timing, type Instant, type Timing } from '../../server/core/time.ts';
import { MemoryStore } from '../../server/stores/memory.ts';
import { judge, stamped, type ClockState } from '../../server/stores/sqlite-clock-judge.ts';
import type { Faults } from './faults.ts';
import type { Behaviour } from './handlers.ts';
import { EPOCH, Machine } from './machine.ts';
import { SimulatedProcess } from './process.ts';
import { Random } from './random.ts';
import type { Setting } from './setting.ts';
import { drained, Timeline } from './timeline.ts';
import { Witness } from './witness.ts';

/** Many times as many events as a life has; whoever waits for nothing, again and again, has more. */
const EVENTS_LIMIT = 300_000;

/** A commit on its way from a process. */
interface Sent {
  readonly commit: Commit;
  /** By the store's time. */
  readonly sentAt: Instant;
  readonly again: Again | undefined;
}

/** One simulated life: machines, processes, the store, and what comes to pass among them. */
export class World {
  readonly setting: Setting;
  readonly timing: Timing;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly machines: readonly Machine[];
  readonly store: MemoryStore;
  readonly witness: Witness;
  readonly counts = new Map<string, number>();
  readonly trace: string[] | undefined;
  /** Our own deadline of each call. */
  readonly callTimeoutMs: number;
  faults: Faults;
  processes: SimulatedProcess[] = [];
  /** Called when a process has ended. */
  onEnd: (process: SimulatedProcess) => void = () => undefined;
  /** True when no more faults come: handlers that hung come to their end. */
  calm = false;
  readonly calmed: Promise<void>;
  #calmDown: () => void = () => undefined;
  /** What made this life a failure; the first thing that did. */
  violation: string | undefined;
  events = 0;
  #names = 0;
  #caller: { readonly process: SimulatedProcess; readonly write: boolean } | undefined;
  #clock: ClockState | undefined;
  /** The latest time that a machine's store gave out. */
  #given: Instant = 0;
  readonly #clocks = new Map<SimulatedProcess, ClockState>();
  readonly #behave: ((context: JobContext) => Behaviour) | undefined;

  constructor(
    setting: Setting,
    faults: Faults,
    options: { trace?: boolean; behave?: (context: JobContext) => Behaviour } = {},
  ) {
    this.setting = setting;
    this.faults = faults;
    this.trace = options.trace ? [] : undefined;
    this.#behave = options.behave;
    const { seed, leaseMs, tickMs, machines, rates } = setting;
    this.timing = timing({ leaseMs, tickMs });
    this.callTimeoutMs = Math.round(leaseMs / 9);
    this.random = new Random(`world/${seed}`);
    this.timeline = new Timeline(new Random(`ties/${seed}`));
    const server = setting.storeClock === 'server';
    this.machines = Array.from({ length: machines }, (_, i) => {
      const off = this.random.pick(-1, 1, this.random.between(-1, 1));
      const rate = server ? 1 + off * rates.drift : 1;
      const offMs = server ? Math.round(this.random.between(-120_000, 120_000)) : 0;
      return new Machine(`m${i + 1}`, this.timeline, { rate, offMs });
    });
    this.store = new MemoryStore(() => this.#storeTime());
    this.witness = new Witness(this);
    this.calmed = new Promise((resolve) => (this.#calmDown = resolve));
  }

  calmDown(): void {
    this.calm = true;
    this.#calmDown();
    this.say(() => 'all faults are over');
  }

  get now(): number {
    return this.timeline.now;
  }

  /** The store's present time, as the world knows it. */
  get storeNow(): Instant {
    return this.setting.storeClock === 'server'
      ? EPOCH + Math.floor(this.now)
      : Math.max(this.#given, Math.floor(this.machines[0]?.wall() ?? 0));
  }

  randomFor(what: string): Random {
    return new Random(`${what}/${this.setting.seed}`);
  }

  behaviourOf(context: JobContext, random: Random): Behaviour {
    if (this.#behave !== undefined) return this.#behave(context);
    const { handlers } = this.setting;
    const all = (Object.keys(handlers) as Behaviour[]).filter((one) => handlers[one] > 0);
    let left = random.next() * all.reduce((sum, one) => sum + handlers[one], 0);
    return all.find((one) => (left -= handlers[one]) < 0) ?? 'quick';
  }

  /** Starts a process of a build on a machine. */
  start(build: number, machine = this.random.pick(...this.machines)): SimulatedProcess {
    const process = new SimulatedProcess(this, `p${++this.#names}`, machine, build);
    this.processes.push(process);
    // Who opens a database leaves word of the clock it found.
    if (this.setting.storeClock === 'machine') {
      this.#clock ??= this.#judged(process).state;
      this.#given = Math.max(this.#given, this.#clock.highWater);
    }
    this.say(() => `${process.name} starts on ${machine.name}, build ${build}`);
    void process.start();
    return process;
  }

  ended(process: SimulatedProcess): void {
    this.processes = this.processes.filter((one) => one !== process);
    this.witness.ended(process);
    this.onEnd(process);
  }

  /** Lets things happen until an instant of true time, or until something is wrong. */
  async run(until: number): Promise<void> {
    while (this.violation === undefined && this.timeline.step(until)) {
      await drained();
      this.witness.afterEvent();
      if (++this.events > EVENTS_LIMIT) this.fail('it never comes to rest');
    }
    if (this.violation === undefined) this.timeline.now = Math.max(this.now, until);
  }

  /** A handler that looks neither left nor right: until it is done, or all faults are over. */
  async healed(process: SimulatedProcess, ms: number): Promise<void> {
    const end = this.now + ms;
    while (this.now < end && !this.calm) {
      await sleep(process.clock, Math.min(5000, end - this.now));
    }
  }

  /** Calls the store in the name of a process, as its time may depend on who asks. */
  as<Value>(process: SimulatedProcess, write: boolean, call: () => Value): Value {
    this.#caller = { process, write };
    try {
      return call();
    } finally {
      this.#caller = undefined;
    }
  }

  /** Applies a commit, and shows the witness what it came to. */
  async commit(process: SimulatedProcess, { commit, sentAt, again }: Sent): Promise<Committed> {
    let decidedAt = sentAt;
    let { record: before } = await this.store.read(commit.name);
    const ids = [...commit.create.map(({ id }) => id), ...commit.update.map(({ id }) => id)];
    const runs = ids.map(async (id) => ({ id, before: await this.store.getRun(id) }));
    let known = await Promise.all(runs);
    // A store in the cloud can't tell when a commit was decided, but its clock is never set.
    const told = this.setting.storeClock === 'server' ? { ...commit, decidedAt: EPOCH } : commit;
    const asked: Again = (now, runOf) => {
      const instead = again?.(now, runOf);
      if (instead === undefined) return undefined;
      before = now.record;
      decidedAt = this.storeNow;
      known = [...instead.create, ...instead.update].map(({ id }) => ({ id, before: runOf(id) }));
      return instead;
    };
    const result = await this.as(process, true, () => this.store.commit(told, asked));
    const applied = (result.kind === 'ok' ? result.instead : undefined) ?? commit;
    this.say(() => `${process.name} commits ${describe(applied, result)}`);
    if (result.kind !== 'ok') return result;
    if (result.instead !== undefined) this.count('decided again while it was written');
    const { record: after } = await this.store.read(commit.name);
    if (after === undefined) throw new Error('a commit left no record');
    const changed = await Promise.all(
      known.map(async (one) => ({ ...one, after: await this.store.getRun(one.id) })),
    );
    const { storeNow } = result;
    this.witness.committed({
      process,
      commit: applied,
      before,
      after,
      runs: changed,
      sentAt: decidedAt,
      storeNow,
    });
    return result;
  }

  /**
   * Puts a job's record back as it was some time ago, as somebody does with a backup; not under
   * the feet of runs, nor with a schedule that is no longer in force.
   */
  async restore(record: JobRecord): Promise<void> {
    const { version, record: current } = await this.store.read(record.name);
    if (current === undefined || current.specHash !== record.specHash) return;
    if (current.schedules.at(-1)?.from !== record.schedules.at(-1)?.from) return;
    if (!isQuiet(current) || !isQuiet(record)) return;
    this.count('restored from a backup');
    const { rev } = current;
    const restored = { ...record, rev: rev + 1 };
    await this.store.commit(commit(restored, { op: 'restore', version, decidedAt: EPOCH }));
    this.say(() => `${record.name} is restored from a backup`);
    this.witness.restored(record, current);
  }

  fail(what: string): void {
    this.violation ??= what;
    this.say(() => `VIOLATION ${what}`);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  say(line: () => string): void {
    this.trace?.push(`${stamp(this.now)} ${line()}`);
  }

  /** On one machine the store goes by the machine's clock, and judges it by the real rules. */
  #storeTime(): StoreTime {
    if (this.setting.storeClock === 'server') {
      return { storeNow: EPOCH + Math.floor(this.now), unsteady: null };
    }
    if (this.#caller === undefined) {
      this.#given = this.storeNow;
      return { storeNow: this.#given, unsteady: null };
    }
    const { process, write } = this.#caller;
    const judged = this.#judged(process);
    const seen = write ? stamped(judged) : judged.state;
    this.#clocks.set(process, seen);
    if (write) this.#clock = seen;
    this.#given = Math.max(this.#given, seen.highWater);
    const { storeNow, unsteady } = judged;
    return { storeNow, unsteady };
  }

  #judged(process: SimulatedProcess): ReturnType<typeof judge> {
    const { machine } = process;
    const wall = Math.floor(machine.wall());
    const reading = { boot: 'boot', wall, monotonic: machine.monotonic() };
    const stored = this.#clock ?? { era: 0, highWater: 0, trusted: reading, doubted: null };
    return judge(stored, this.#clocks.get(process), reading, this.timing);
  }
}

const isQuiet = ({ active, retries, queue, backfill, paused, retiredAt }: JobRecord): boolean =>
  Object.keys(active).length + retries.length + queue.length === 0 &&
  backfill === null &&
  paused === null &&
  retiredAt === null;

const stamp = (ms: number): string => `${(ms / 1000).toFixed(3).padStart(10)}s`;

function describe({ op, name, record, create, update }: Commit, result: Committed): string {
  const runs = [
    ...create.map((run) => `+${run.id} ${run.state}`),
    ...update.map(({ id, set }) => `~${id} ${set.state ?? ''}`),
  ];
  const held = Object.entries(record.active).map(([id, lease]) => `${id}#${lease.fence - EPOCH}`);
  const outcome = result.kind === 'ok' ? '' : ` → ${result.kind}`;
  return `${op} ${name} [${held.join(' ')}] ${runs.join(', ')}${outcome}`;
}
