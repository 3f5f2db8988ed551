import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Random } from '../simulation/random.ts';
import { conclude, violationsOf, type Outcome } from './afterwards.ts';
import { openFleet } from './fleet.ts';
import { firestoreGround, foundWithinMs, sqliteGround, type Ground } from './ground.ts';
import { askUntil, type Asked } from './people.ts';
import { PASS, startProxy, type Proxy } from './proxy.ts';
import type { Scope } from './scope.ts';
import { strike, type Strike, type Struck } from './strikes.ts';
import { swarm } from './swarm.ts';

export interface Options {
  readonly seed: string;
  /** Where the emulator listens; null for SQLite. */
  readonly emulator: string | null;
  readonly forMs: number;
  /** Ends after so many kills; Infinity for never. */
  readonly kills: number;
  /** How often which strike comes. */
  readonly deck: readonly Strike[];
  /** Holds the database, the journal, and what servers print. */
  readonly folder: string;
  readonly scope: Scope;
  /** The name of a fault that is planted, to see that it is found. */
  readonly fault?: string | undefined;
  /** Told of each strike. */
  readonly onProgress?: (struck: Struck) => void;
}

export interface Report {
  readonly outcome: Outcome;
  readonly struck: Struck;
  readonly asked: Asked;
  /** Undefined for SQLite. */
  readonly proxy: Proxy | undefined;
  readonly servers: number;
  readonly jobs: number;
  readonly seconds: number;
  /** How long this process, which does next to nothing, had to wait for its turn at most. */
  readonly heldUpMs: number;
  /** Attempts that were found lost, or handed back, later than promised. */
  readonly late: number;
  /** Whatever is not as promised, in words. */
  readonly violations: readonly string[];
}

const SERVERS = 3;
const FORMS = {
  sqlite: { jobs: 40, gapMs: 1500, calmMs: 3000 },
  firestore: { jobs: 20, gapMs: 5000, calmMs: 10_000 },
} as const;
const ALL_AT_ONCE = 0.06;
/** A connection is bad in other ways after so long. */
const OTHER_FATES_MS = 30_000;
/** A process that was told to stop has handed back what it did by then. */
const TOLD_WITHIN_MS = 5000;
/** What takes even longer than promised is not the machine's fault alone. */
const SLOW_MS = 60_000;

/**
 * Strikes real servers on one database while their jobs run and people ask for this and that, until
 * enough is done; then lets all come to rest, and looks whether every promise was kept.
 */
export async function chaos(options: Options): Promise<Report> {
  const { seed, forMs, kills, deck, folder, scope, emulator, fault, onProgress } = options;
  const startedAt = Date.now();
  const delays = monitorEventLoopDelay();
  delays.enable();
  const proxy = emulator === null ? undefined : await startProxy(emulator, scope);
  const ground = groundOf(options, proxy);
  const { jobs, ...pace } = FORMS[emulator === null ? 'sqlite' : 'firestore'];
  const fleet = await openFleet({ ground, folder, scope, fault, jobs, servers: SERVERS });

  const over = new AbortController();
  scope.onEnd(() => over.abort());
  const calm = proxy && worsen(proxy, new Random(`${seed}/connection`));
  const asking = askUntil(over.signal, fleet, new Random(`${seed}/people`));
  const until = Date.now() + forMs;
  const struck = await strike(fleet, new Random(`${seed}/strikes`), {
    ...pace,
    deck,
    atOnce: ALL_AT_ONCE,
    goesOn: (so) => {
      onProgress?.(so);
      return Date.now() < until && so.SIGKILL < kills && !over.signal.aborted;
    },
  });
  over.abort();
  const asked = await asking;
  calm?.();
  const outcome = await conclude(fleet, asked);

  const late = latenessOf(outcome, ground);
  return {
    outcome,
    struck,
    asked,
    proxy,
    servers: SERVERS,
    jobs,
    seconds: Math.round((Date.now() - startedAt) / 1000),
    heldUpMs: Math.round(delays.max / 1e6),
    late: late.all,
    violations: [...violationsOf(outcome), ...(proxy === undefined ? late.tooLate : [])],
  };
}

const groundOf = ({ emulator, folder }: Options, proxy: Proxy | undefined): Ground =>
  emulator === null || proxy === undefined
    ? sqliteGround(folder)
    : firestoreGround({ emulator, address: proxy.address });

/** Makes a connection bad, in other ways after a while; gives what makes it good again. */
function worsen(proxy: Proxy, random: Random): () => void {
  const draw = (): void => proxy.setFates(swarm(random, { part: true }));
  draw();
  const timer = setInterval(draw, OTHER_FATES_MS);
  return () => {
    clearInterval(timer);
    proxy.setFates(() => PASS);
  };
}

/** By a bad connection nobody can say how long it may take. */
function latenessOf({ recoveries }: Outcome, ground: Ground) {
  const { killed, stopped, told } = recoveries;
  const beyond = (times: readonly number[], bound: number): number[] =>
    times.filter((ms) => ms > bound);
  const found = beyond([...killed, ...stopped], foundWithinMs(ground));
  const handed = beyond(told, TOLD_WITHIN_MS);
  const tooLate = [
    ...beyond(found, foundWithinMs(ground) + SLOW_MS).map((ms) => `found lost after ${ms} ms`),
    ...beyond(handed, TOLD_WITHIN_MS + SLOW_MS).map((ms) => `handed back after ${ms} ms`),
  ];
  return { all: found.length + handed.length, tooLate };
}
