import { isFinal } from '../../server/core/run.ts';
import {
  backfillJob,
  cancelRun,
  freeRun,
  pauseJob,
  resumeJob,
  runNow,
} from '../../server/core/run-now.ts';
import { manualRunId } from '../../server/core/ids.ts';
import { StoreUnavailable, UnknownOutcome } from '../../server/core/store.ts';
import { runRequest } from '../builders.ts';
import { endsWell } from './ending.ts';
import type { SimulatedProcess } from './process.ts';
import type { Act, Scenario } from './scenarios.ts';
import { Script, type Planned } from './script.ts';
import { CALM, type Setting } from './setting.ts';
import { World } from './world.ts';

const HANDLERS = { quick: 1, work: 0, long: 0, toTheMinute: 0, fail: 0 };
const OTHERS = { hang: 0, linger: 0, ignore: 0, block: 0 };

export interface Told {
  readonly violation: string | undefined;
  readonly trace: readonly string[];
  /** What the points of the story were, in order. */
  readonly points: Script['points'];
  readonly events: number;
}

/** Tells a story once, with what is planned to go wrong in it, and looks whether it ends well. */
export async function tell(
  scenario: Scenario,
  planned: readonly Planned[],
  { trace = false } = {},
): Promise<Told> {
  Error.stackTraceLimit = 0;
  const script: Script = new Script(() => world, planned);
  const behave = ({ attempt }: { attempt: number }) =>
    scenario.handlers?.[Math.min(attempt, scenario.handlers.length) - 1] ?? 'quick';
  const world = new World(settingOf(scenario), script, { trace, behave });
  await new Story(world, scenario).tell();
  const { violation, events } = world;
  return { violation, trace: world.trace ?? [], points: script.points, events };
}

const settingOf = ({ name, jobs, next }: Scenario): Setting => ({
  seed: name,
  leaseMs: 3000,
  tickMs: 2000,
  wakes: 'triggers',
  storeClock: 'server',
  machines: 2,
  processes: 1,
  room: 20,
  builds: next === undefined ? [jobs] : [jobs, next],
  poison: false,
  faultyMs: 0,
  latencyMs: [5, 5],
  rates: CALM,
  handlers: { ...HANDLERS, ...OTHERS },
});

/** After its last act a story goes on for so long with a tick now and then. */
const AFTERWARDS_MS = 10_000;

class Story {
  readonly #world: World;
  readonly #scenario: Scenario;
  #build = 0;
  #keys = 0;

  constructor(world: World, scenario: Scenario) {
    this.#world = world;
    this.#scenario = scenario;
    // Somebody starts another in place of one that ended by mishap.
    world.onEnd = ({ draining }) => {
      if (!draining) this.#in(world.calm ? 0 : 1000, () => this.#startOne());
    };
  }

  async tell(): Promise<void> {
    const world = this.#world;
    const { acts, begins } = this.#scenario;
    const times = acts.map(({ at }) => at * 1000);
    for (const act of acts) this.#in(act.at * 1000, () => this.#do(act));
    await world.run(begins === undefined ? Math.min(...times) - 2000 : begins * 1000);
    world.start(0);
    await world.run(Math.max(...times) + AFTERWARDS_MS);
    if (world.violation !== undefined) return;
    world.calmDown();
    this.#startOne();
    this.#tickForEver();
    await world.run(Math.max(world.now, ...world.processes.map(({ stillUntil }) => stillUntil)));
    await endsWell(world);
  }

  #tickForEver(): void {
    this.#in(2000, () => {
      for (const one of this.#up()) one.later(0, () => void one.trigger(undefined), 'timer');
      this.#tickForEver();
    });
  }

  #do(act: Act): void {
    const world = this.#world;
    const up = this.#up();
    const one = up[0];
    const last = up.at(-1);
    if (act.do === 'start' || act.do === 'deploy') {
      if (act.do === 'deploy') this.#build = 1;
      world.start(this.#build);
      return void (act.do === 'deploy' && one?.later(0, () => void one.drain(), 'timer'));
    }
    if (one === undefined || last === undefined) return;
    const send = (request: () => Promise<unknown>): void =>
      void last.later(0, () => void request().catch((error) => this.#failed(error)), 'timer');
    switch (act.do) {
      case 'trigger':
        return void one.later(0, () => void one.trigger('a'), 'timer');
      case 'tick':
        return void last.later(0, () => void last.trigger(undefined), 'timer');
      case 'drain':
        return void one.later(0, () => void one.drain(), 'timer');
      case 'kill':
        return one.kill('killed');
      case 'stand still':
        return one.standStill(9000);
      case 'manual':
        return send(() => this.#manual(last, `k${this.#keys++}`, false));
      case 'retry request':
        return send(() => this.#manual(last, `k${this.#keys - 1}`, false));
      case 'beside':
        return send(() => this.#manual(last, `k${this.#keys++}`, true));
      case 'pause':
        return send(() => pauseJob(last.deps, 'a', { by: null, note: null, until: null }));
      case 'resume':
        return send(() => resumeJob(last.deps, 'a', null));
      case 'backfill': {
        const to = world.storeNow;
        return send(() => backfillJob(last.deps, 'a', { from: to - 125_000, to, by: null }));
      }
      case 'cancel':
      case 'free':
        return send(() => this.#end(last, act.do === 'free'));
    }
  }

  async #manual(process: SimulatedProcess, key: string, beside: boolean): Promise<void> {
    const job = process.deps.registry.get('a');
    if (job === undefined) return;
    if (beside) this.#world.witness.beside.add(manualRunId('a', key));
    await runNow(process.deps, job, runRequest({ key, beside }));
  }

  async #end(process: SimulatedProcess, free: boolean): Promise<void> {
    const { runs } = await this.#world.store.listRuns({ job: 'a', limit: 9 });
    const open = runs.find(({ state }) => !isFinal(state));
    if (open !== undefined) await (free ? freeRun : cancelRun)(process.deps, open.id, null);
  }

  #failed(error: unknown): void {
    if (error instanceof StoreUnavailable || error instanceof UnknownOutcome) return;
    this.#world.fail(`a request fails: ${String(error)}`);
  }

  #up(): SimulatedProcess[] {
    return this.#world.processes.filter(({ ready, draining }) => ready && !draining);
  }

  #startOne(): void {
    if (this.#world.processes.length === 0) this.#world.start(this.#build);
  }

  #in(ms: number, call: () => void): void {
    this.#world.timeline.add(this.#world.now + ms, call);
  }
}
