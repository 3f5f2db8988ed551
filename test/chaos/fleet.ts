import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { launch, type Launched } from '../process/launch.ts';
import type { Ground } from './ground.ts';
import { linesIn, openJournal, type Line } from './journal.ts';
import type { Scope } from './scope.ts';

/** Several real servers on one database. */
export interface Fleet {
  readonly ground: Ground;
  readonly jobs: number;
  /** Where the server of each place is, or was last; each that is struck is followed by another. */
  readonly urls: readonly string[];
  /** Where those are that listen, whether they stand still or not. */
  listening(): readonly string[];
  /** What servers did by themselves that none should: ended, or told of an error that is ours. */
  readonly wrong: readonly string[];
  /** How often servers told of which error. */
  readonly errors: ReadonlyMap<string, number>;
  /** How often one could not start, and was started again. */
  failedStarts(): number;
  journal(): Iterable<Line>;
  /** Starts a server in a place. */
  start(place: number): Promise<void>;
  /** Ends one and writes it down. */
  end(place: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Stops one for so long. */
  stop(place: number, ms: number): Promise<void>;
  /** What the shipped command prints. */
  audit(): Promise<string>;
}

export interface Founding {
  readonly ground: Ground;
  /** Holds the journal, and what servers print. */
  readonly folder: string;
  readonly servers: number;
  readonly jobs: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly scope: Scope;
  /** The name of a fault that is planted into each server. */
  readonly fault?: string | undefined;
}

const JOBS = new URL('./written.ts', import.meta.url).pathname;
const PLANTING = new URL('./planting.ts', import.meta.url).href;
const AUDIT = new URL('../../scripts/audit.ts', import.meta.url).pathname;

const STARTS = 20;
const START_AGAIN_MS = 500;
/** Who is told to stop takes longer than this only if it hangs, however busy the machine is. */
const ENDS_WITHIN_MS = 120_000;

/** Starts servers, all at once. */
export async function openFleet({
  ground,
  folder,
  jobs,
  scope,
  ...more
}: Founding): Promise<Fleet> {
  const env = {
    PUNCTUAL_WAKE: 'timer',
    PUNCTUAL_BUILD: 'test',
    PUNCTUAL_LEASE_MS: `${ground.leaseMs}`,
    PUNCTUAL_TICK_MS: `${ground.tickMs}`,
    PUNCTUAL_LOG_LEVEL: 'warn',
    PUNCTUAL_JOBS: JOBS,
    TEST_FOLDER: folder,
    TEST_JOBS: `${jobs}`,
    TEST_EVERY: ground.every,
    TMPDIR: folder,
    // Of many starts each but the first takes half the time.
    NODE_COMPILE_CACHE: join(folder, 'compiled'),
    ...more.env,
  };
  const planted = { NODE_OPTIONS: `--import ${PLANTING}`, CHAOS_FAULT: `${more.fault}` };
  const faulty = more.fault === undefined ? {} : planted;
  const write = openJournal(folder);
  const urls: string[] = [];
  const wrong: string[] = [];
  const places: Place[] = [];
  const closed = new Set<Promise<void>>();
  const said = new Said(join(folder, 'servers.log'), wrong);
  scope.onEnd(async () => {
    for (const here of places) {
      here.isEnding = true;
      here.server.child.kill('SIGKILL');
    }
    await Promise.all(closed);
  });
  const at = (place: number): Place => {
    const found = places[place];
    if (found === undefined) throw new Error(`no server was ever started in place ${place}`);
    return found;
  };
  const fleet: Fleet = {
    ground,
    jobs,
    urls,
    listening: () =>
      urls.filter((_, place) => places[place]?.isUp === true && !places[place].isEnding),
    wrong,
    errors: said.errors,
    failedStarts: () => said.failedStarts,
    journal: () => linesIn(folder),
    async start(place) {
      for (let tries = 1; ; tries++) {
        const server = launch({ ...ground.servers, ...env, ...faulty });
        const pid = server.child.pid ?? NaN;
        const here: Place = { server, pid, isUp: false, isEnding: false };
        places[place] = here;
        // Only then it has said all.
        const close = once(server.child, 'close').then(([status, signal]) => {
          said.take(server.output(), here);
          const byItself = here.isUp && !here.isEnding;
          if (byItself) wrong.push(`server ${pid} ended by itself: ${status ?? signal}`);
          closed.delete(close);
        });
        closed.add(close);
        try {
          urls[place] = await server.url;
          here.isUp = true;
          return write('up', pid);
        } catch (error) {
          // It could not reach its store; whoever looks after servers starts it again.
          if (tries === STARTS || here.isEnding) throw error;
          said.failedStarts += 1;
          await wait(START_AGAIN_MS);
        }
      }
    },
    async end(place, signal) {
      const here = at(place);
      here.isEnding = true;
      write('strike', here.pid, signal);
      here.server.child.kill(signal);
      const how = await Promise.race([here.server.ended, wait(ENDS_WITHIN_MS, 'not at all')]);
      if (how !== (signal === 'SIGTERM' ? 0 : signal)) {
        wrong.push(`server ${here.pid} ended by ${signal}: ${how}`);
        here.server.child.kill('SIGKILL');
        await here.server.ended;
      }
      write('gone', here.pid, signal);
    },
    async stop(place, ms) {
      const { pid, server } = at(place);
      write('stop', pid);
      server.child.kill('SIGSTOP');
      await wait(ms);
      write('cont', pid);
      server.child.kill('SIGCONT');
    },
    async audit() {
      // Who looks on has the patience that goes with a usual lease, whatever its servers have.
      const lease = { PUNCTUAL_LEASE_MS: '90000' };
      const direct = { PATH: process.env['PATH'], ...env, ...lease, ...ground.onlookers };
      const done = promisify(execFile)(process.execPath, [AUDIT], { env: direct });
      const { stdout, stderr } = await done.catch((failed: Awaited<typeof done>) => failed);
      return `${stdout}${stderr}`.trim();
    },
  };
  await Promise.all(Array.from({ length: more.servers }, (_, place) => fleet.start(place)));
  return fleet;
}

interface Place {
  readonly server: Launched;
  readonly pid: number;
  /** It has said where it is. */
  isUp: boolean;
  /** Somebody has told it to end. */
  isEnding: boolean;
}

/** Events that no store, no connection and no handler is a reason for. */
const OURS = ['job_quarantined', 'attempt_broken', 'alert_broken', 'uncaught'];
const SHOWN = 400;

/** What servers have printed until they ended. */
class Said {
  readonly errors = new Map<string, number>();
  failedStarts = 0;
  readonly #path: string;
  readonly #wrong: string[];

  constructor(path: string, wrong: string[]) {
    this.#path = path;
    this.#wrong = wrong;
  }

  take(output: string, { pid, isUp }: Place): void {
    appendFileSync(this.#path, `--- ${pid}\n${output}`);
    for (const line of output.split('\n')) {
      const event = /"severity":"ERROR","message":"(\w+)"/.exec(line)?.[1];
      if (event !== undefined) this.errors.set(event, (this.errors.get(event) ?? 0) + 1);
      const ours = event === undefined ? isUp && isStray(line) : OURS.includes(event);
      if (ours) this.#wrong.push(`server ${pid} said: ${line.slice(0, SHOWN)}`);
    }
  }
}

/** Neither an event nor what it says when it starts: such as the stack of an error. */
const isStray = (line: string): boolean =>
  line.trim() !== '' && !line.startsWith('{"time"') && !line.startsWith('Punctual is at ');
