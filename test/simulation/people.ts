import { manualRunId } from '../../server/core/ids.ts';
import { isFinal } from '../../server/core/run.ts';
import {
  backfillJob,
  cancelRun,
  freeRun,
  pauseJob,
  resumeJob,
  runNow,
  type Requested,
} from '../../server/core/run-now.ts';
import { StoreUnavailable, UnknownOutcome } from '../../server/core/store.ts';
import type { SimulatedProcess } from './process.ts';
import type { Random } from './random.ts';
import { POISON } from './setting.ts';
import type { World } from './world.ts';

/** What is known of an idempotency key: I11 and I17. */
interface Key {
  readonly job: string;
  readonly key: string;
  readonly input: number;
  readonly beside: boolean;
  /** Requests that may have done something: all but those answered with "surely not". */
  mayBe: number;
}

/** People and programs that ask for things through the API, and check what they are answered. */
export class People {
  readonly #world: World;
  readonly #random: Random;
  readonly #keys: Key[] = [];

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** One request of any kind, to any process that is up. */
  ask(): void {
    const random = this.#random;
    const up = this.#world.processes.filter(({ ready, draining }) => ready && !draining);
    const process = up.length === 0 ? undefined : random.pick(...up);
    const jobs = [...(process?.deps.registry.keys() ?? [])].filter((name) => name !== POISON);
    if (process === undefined || jobs.length === 0) return;
    const job = random.pick(...jobs);
    const kind = random.below(10);
    this.#world.count('requests');
    this.#send(process, () => {
      if (kind < 3) return this.#manual(process, job);
      if (kind < 6) return this.#cancel(process, job);
      if (kind < 7) return this.#pause(process, job);
      return kind < 9 ? this.#resume(process, job) : this.#backfill(process, job);
    });
  }

  resume(process: SimulatedProcess, job: string): void {
    this.#send(process, () => this.#resume(process, job));
  }

  /** What stands still answers when it goes on. The store may be down: then a request fails. */
  #send(process: SimulatedProcess, request: () => Promise<void>): void {
    const failed = (error: unknown): void => {
      this.#world.say(() => `a request fails: ${String(error)}`);
      if (error instanceof StoreUnavailable || error instanceof UnknownOutcome) return;
      this.#world.fail(`a request to ${process.name} fails: ${String(error)}`);
    };
    process.later(0, () => void request().catch(failed), 'timer');
  }

  async #resume(process: SimulatedProcess, job: string): Promise<void> {
    const result = await resumeJob(process.deps, job, 'ada');
    this.#world.say(() => `ada resumes ${job} on ${process.name}: ${result.kind}`);
  }

  async #pause(process: SimulatedProcess, job: string): Promise<void> {
    const random = this.#random;
    const until = random.chance(0.5)
      ? null
      : this.#world.storeNow + Math.round(random.between(1000, 600_000));
    const note = `pause ${Math.floor(this.#world.now)}`;
    const result = await pauseJob(process.deps, job, { by: 'ada', note, until });
    this.#world.say(() => `ada pauses ${job} on ${process.name}: ${result.kind}`);
    if (result.kind !== 'changed' && result.kind !== 'unchanged') return;
    if (result.record?.paused?.note === note) return;
    this.#world.fail(`I17 ${job} is said to be paused, but is not`);
  }

  async #backfill(process: SimulatedProcess, job: string): Promise<void> {
    const now = this.#world.storeNow;
    const span = { from: now - 600_000, to: now - 1000, by: 'ada' };
    const result = await backfillJob(process.deps, job, span);
    this.#world.say(() => `ada backfills ${job} on ${process.name}: ${result.kind}`);
  }

  async #cancel(process: SimulatedProcess, job: string): Promise<void> {
    const { runs } = await this.#world.store.listRuns({ job, limit: 20 });
    const unfinished = runs.filter(({ state }) => !isFinal(state));
    if (unfinished.length === 0) return;
    const waiting = unfinished.filter(({ state }) => state === 'retry_wait');
    const open = waiting.length > 0 && this.#random.chance(0.5) ? waiting : unfinished;
    const { id } = this.#random.pick(...open);
    const free = this.#random.chance(0.1);
    const result = await (free ? freeRun : cancelRun)(process.deps, id, 'ada');
    this.#world.say(() => `ada ${free ? 'frees' : 'cancels'} ${id}: ${result.kind}`);
  }

  async #manual(process: SimulatedProcess, job: string): Promise<void> {
    const random = this.#random;
    const known = this.#keys.filter((one) => one.job === job);
    const again = random.chance(0.3) && known.length > 0 ? random.pick(...known) : undefined;
    const asked = again ?? this.#newKey(job);
    const other = again !== undefined && random.chance(0.3);
    const input = other ? asked.input + 1 : asked.input;
    for (let tries = 0; tries < 3; tries++) {
      const up = this.#world.processes.filter(({ ready }) => ready);
      const to = tries === 0 ? process : random.pick(process, ...up);
      if (!to.alive || !to.deps.registry.has(job)) return;
      const result = await this.#request(to, asked, input);
      if (result.kind !== 'unknown' && result.kind !== 'unavailable') return;
    }
  }

  #newKey(job: string): Key {
    const beside = this.#random.chance(0.1);
    const key = `k${this.#keys.length}`;
    const made = { job, key, input: this.#keys.length * 10, beside, mayBe: 0 };
    this.#keys.push(made);
    return made;
  }

  async #request(process: SimulatedProcess, asked: Key, input: number): Promise<Requested> {
    const { job, key, beside } = asked;
    const definition = process.deps.registry.get(job);
    if (definition === undefined) throw new Error(`${process.name} does not know ${job}`);
    const id = manualRunId(job, key);
    if (beside) this.#world.witness.beside.add(id);
    const request = { input, key, beside, rerunOf: null, by: 'ada', traceparent: null };
    asked.mayBe++;
    const result = await runNow(process.deps, definition, request);
    this.#world.say(() => `ada asks ${process.name} for ${id} (${input}): ${result.kind}`);
    const only = asked.mayBe === 1;
    if (result.kind === 'unavailable') asked.mayBe--;
    const stored = await this.#world.store.getRun(id);
    const same = stored?.input === JSON.stringify(input);
    if (result.kind === 'created' || result.kind === 'replayed') {
      if (!same || result.run.id !== id)
        this.#world.fail(`I17 ${id} was promised, but is not there`);
    } else if (result.kind === 'other-request' && (stored === undefined || same)) {
      this.#world.fail(`I11 ${id} is refused as another request, which it is not`);
    } else if (result.kind === 'refused' && same && only) {
      this.#world.fail(`I17 ${id} was refused (${result.why}), but is on record`);
    }
    return result;
  }

  /** At the end: what surely was not done is not there. */
  async check(): Promise<void> {
    for (const { job, key, mayBe } of this.#keys) {
      const id = manualRunId(job, key);
      if (mayBe > 0 || (await this.#world.store.getRun(id)) === undefined) continue;
      this.#world.fail(`I17 ${id} was surely not applied, but is on record`);
    }
  }
}
