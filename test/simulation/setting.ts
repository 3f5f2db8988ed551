import type { JobDefinition } from '../../server/core/job.ts';
import type { Overlap } from '../../server/core/records.ts';
import { Random } from './random.ts';

const MINUTE = 60_000;

/** What one simulated life is like: drawn from its seed, or written down by a scenario. */
export interface Setting {
  readonly seed: string;
  readonly leaseMs: number;
  readonly tickMs: number;
  /** Who wakes: every process's own timer, or a scheduler outside that sends triggers. */
  readonly wakes: 'timer' | 'triggers';
  /** Whose clock the store goes by: its own, or that of the one machine all processes are on. */
  readonly storeClock: 'server' | 'machine';
  readonly machines: number;
  readonly processes: number;
  /** How many attempts a process may run at once. */
  readonly room: number;
  /** What each build has in its code; a later one is deployed at some time. */
  readonly builds: readonly (readonly SimulatedJob[])[];
  /** A job whose stored record is spoilt, so that nobody can decide about it. */
  readonly poison: boolean;
  /** How long faults and requests come, before everything heals. */
  readonly faultyMs: number;
  readonly latencyMs: readonly [from: number, to: number];
  readonly rates: Rates;
  readonly handlers: HandlerRates;
}

export type SimulatedJob = Omit<JobDefinition, 'run' | 'input'>;

/** Shares of 1 for what comes with each call or trigger; mean times between, in ms, for others. */
export interface Rates {
  readonly lostRequest: number;
  readonly lostReply: number;
  readonly lateCommit: number;
  readonly refused: number;
  readonly falseConflict: number;
  readonly slow: number;
  readonly crashAtAwait: number;
  readonly crashMs: number;
  readonly freezeMs: number;
  readonly drainMs: number;
  readonly cutOffMs: number;
  readonly stepMs: number;
  readonly suspendMs: number;
  readonly outageMs: number;
  readonly requestMs: number;
  readonly deployMs: number;
  readonly restoreMs: number;
  readonly duplicate: number;
  readonly missing: number;
  readonly late: number;
  readonly early: number;
  readonly forgedMs: number;
  /** Clocks of processes run faster or slower by up to this share. */
  readonly drift: number;
}

export const CALM: Rates = {
  lostRequest: 0,
  lostReply: 0,
  lateCommit: 0,
  refused: 0,
  falseConflict: 0,
  slow: 0,
  crashAtAwait: 0,
  crashMs: Infinity,
  freezeMs: Infinity,
  drainMs: Infinity,
  cutOffMs: Infinity,
  stepMs: Infinity,
  suspendMs: Infinity,
  outageMs: Infinity,
  requestMs: Infinity,
  deployMs: Infinity,
  restoreMs: Infinity,
  duplicate: 0,
  missing: 0,
  late: 0,
  early: 0,
  forgedMs: Infinity,
  drift: 0,
};

/** Weights of how a handler behaves. */
export interface HandlerRates {
  readonly quick: number;
  readonly work: number;
  readonly long: number;
  readonly toTheMinute: number;
  readonly fail: number;
  readonly hang: number;
  readonly linger: number;
  readonly ignore: number;
  readonly block: number;
}

/** The job that nobody can decide about: no rule is asked of it. */
export const POISON = 'poison';

/** Draws a life. Each kind of fault is in it or not, so that none hides another all the time. */
export function drawSetting(seed: string): Setting {
  const random = new Random(`setting/${seed}`);
  const setting = drawAny(seed, random);
  return random.chance(0.4) ? random.pick(...THEMES)(setting, random) : setting;
}

/** Lives about one thing, which chance alone would seldom bring together. */
const THEMES = [cutOff, asleep, shaky, deaf];

/** Machines that sleep with calls under way. */
function asleep(setting: Setting, random: Random): Setting {
  const { rates, leaseMs, handlers } = setting;
  const suspendMs = random.between(1, 3) * leaseMs;
  const far: Setting['latencyMs'] = [leaseMs / 400, leaseMs / 100];
  return {
    ...setting,
    machines: setting.storeClock === 'machine' ? 1 : 3,
    processes: 3,
    latencyMs: far,
    rates: { ...rates, suspendMs, stepMs: Infinity, requestMs: MINUTE / 6 },
    handlers: { ...handlers, work: 2, long: 1 },
  };
}

/** Builds that follow each other quickly, and processes that die at any moment. */
function shaky(setting: Setting, random: Random): Setting {
  const { rates, leaseMs } = setting;
  const deployMs = random.between(1, 3) * leaseMs;
  const crashAtAwait = random.between(0.005, 0.05);
  return { ...setting, processes: 3, rates: { ...rates, deployMs, crashAtAwait } };
}

/** Handlers that do not look up, and replies that do not come. */
function deaf(setting: Setting, random: Random): Setting {
  const { rates, handlers, builds } = setting;
  const hasty = builds.map((jobs) => jobs.map((job) => ({ ...job, timeout: 20_000 })));
  const lost = { lostReply: random.between(0, 0.5), falseConflict: random.between(0, 0.3) };
  const deafness = { ...handlers, linger: 3, ignore: 1, quick: 1 };
  return {
    ...setting,
    builds: hasty,
    rates: { ...rates, ...lost, requestMs: MINUTE / 3 },
    handlers: deafness,
  };
}

/** Processes that lose the store, or its replies, while long handlers run; clocks that differ. */
function cutOff(setting: Setting, random: Random): Setting {
  const { rates, handlers, builds, leaseMs } = setting;
  const patient = builds.map((jobs) => jobs.map((job) => ({ ...job, timeout: 600_000 })));
  return {
    ...setting,
    wakes: 'timer',
    storeClock: 'server',
    machines: 3,
    processes: 3,
    builds: patient,
    rates: { ...rates, drift: 0.01, cutOffMs: random.between(1, 2) * leaseMs, lostReply: 0.3 },
    handlers: { ...handlers, long: 3, hang: 1 },
  };
}

function drawAny(seed: string, random: Random): Setting {
  const leaseMs = random.pick(90_000, 90_000, 30_000, 30_000, 9000);
  const storeClock = random.chance(0.25) ? 'machine' : 'server';
  const oneMachine = storeClock === 'machine';
  const poison = random.chance(0.1);
  const spoilt: SimulatedJob[] = poison ? [{ name: POISON, schedule: '* * * * *' }] : [];
  const builds = drawBuilds(random, leaseMs).map((jobs) => [...spoilt, ...jobs]);
  return {
    seed,
    leaseMs,
    tickMs: Math.round((leaseMs * 2) / 3),
    wakes: oneMachine || random.chance(0.5) ? 'timer' : 'triggers',
    storeClock,
    machines: oneMachine ? 1 : 1 + random.below(3),
    processes: 1 + random.below(3),
    room: random.pick(1, 2, 4, 20),
    builds,
    poison,
    faultyMs: random.between(6, 24) * MINUTE,
    // A store whose every answer takes a good part of the grace is no store to lease by.
    latencyMs: random.pick([0, 0], [1, leaseMs / 4500], [5, leaseMs / 1500], [10, leaseMs / 200]),
    rates: drawRates(random, leaseMs, oneMachine),
    handlers: drawHandlers(random),
  };
}

function drawRates(random: Random, leaseMs: number, oneMachine: boolean): Rates {
  /** About half of the kinds are in a life, each weak or strong. */
  const share = (most: number): number => (random.chance(0.5) ? most * random.next() ** 2 : 0);
  const every = (leases: number, likely = 0.5): number =>
    random.chance(likely) ? Math.max(leases * leaseMs, MINUTE) * random.between(0.5, 3) : Infinity;
  const suspendMs = every(10, 0.2);
  return {
    lostRequest: share(0.15),
    lostReply: share(0.25),
    lateCommit: share(0.1),
    refused: share(0.15),
    falseConflict: oneMachine ? 0 : share(0.15),
    slow: share(0.1),
    crashAtAwait: share(0.004),
    crashMs: every(6),
    freezeMs: every(4),
    drainMs: every(6),
    cutOffMs: oneMachine ? Infinity : every(4),
    // A clock set back while its machine sleeps leaves a process no way to know how long it slept.
    stepMs: suspendMs === Infinity ? every(8) : Infinity,
    suspendMs,
    outageMs: every(15, 0.3),
    requestMs: random.pick(MINUTE / 6, MINUTE / 2, 2 * MINUTE, Infinity),
    deployMs: every(6, 0.4),
    restoreMs: every(12, 0.1),
    duplicate: share(0.5),
    missing: share(0.5),
    late: share(0.4),
    early: share(0.5),
    forgedMs: every(1, 0.3),
    drift: random.pick(0, 0.001, 0.01, 0.01),
  };
}

function drawHandlers(random: Random): HandlerRates {
  const weight = (most: number): number => (random.chance(0.5) ? most * random.next() : 0);
  return {
    quick: 1,
    work: weight(2),
    long: weight(2),
    toTheMinute: weight(1),
    fail: weight(1),
    hang: weight(0.3),
    linger: weight(0.5),
    ignore: weight(0.3),
    block: weight(0.2),
  };
}

function drawBuilds(random: Random, leaseMs: number): SimulatedJob[][] {
  const names = ['a', 'b', 'c'].slice(0, 1 + random.below(3));
  const first = names.map((name) => drawJob(random, name, leaseMs));
  const second = first.flatMap((job) => {
    if (random.chance(0.15)) return [];
    if (random.chance(0.3)) return [job];
    const next = drawJob(random, job.name, leaseMs);
    if (random.chance(0.5)) return [next];
    const { schedule: _other, ...rest } = next;
    return [{ ...rest, ...(job.schedule !== undefined && { schedule: job.schedule }) }];
  });
  const added = random.chance(0.3) ? [drawJob(random, 'd', leaseMs)] : [];
  return [first, [...second, ...added]];
}

export const SCHEDULES = ['* * * * *', '*/2 * * * *', '*/5 * * * *', '*/15 * * * *', '7 * * * *'];

function drawJob(random: Random, name: string, leaseMs: number): SimulatedJob {
  const schedule = random.chance(0.9) ? random.pick(...SCHEDULES, '* * * * *') : undefined;
  const onLost = random.pick('fail', 'retry');
  return {
    name,
    ...(schedule !== undefined && { schedule }),
    overlap: random.pick<Overlap>('skip', 'skip', 'queue', 'replace', { allow: 2 }),
    catchUp: {
      runs: random.pick('latest', 'latest', 'none', 'all'),
      within: random.pick(3 * leaseMs, 600_000, 3_600_000),
      max: random.pick(2, 5, 10),
    },
    timeout: random.pick(20_000, 60_000, 600_000, 600_000),
    retry: {
      attempts: onLost === 'retry' ? random.pick(2, 3) : random.pick(1, 1, 2, 3),
      backoff: { from: random.pick('1s', '10s', '70s'), to: '2m', jitter: 0.1 },
    },
    onLost,
  };
}
