import { execFile } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { graceOf } from '../../server/core/time.ts';
import { startServer, tempFolder, type ServerProcess } from '../process/server.ts';
import type { Random } from '../simulation/random.ts';
import { emulator, newProject } from '../firestore/fixture.ts';
import { openJournal, readJournal, type Line } from './journal.ts';

/** Several real servers on one database, and what strikes them. */

/* Real processes need real time: all of it is scaled down by the lease and the tick. */

export const LEASE_MS = 3000;
export const TICK_MS = 2000;
/** By then what a process left is found and put on record, if anybody is awake. */
export const FOUND_WITHIN_MS = LEASE_MS + graceOf(LEASE_MS) + TICK_MS;

const JOBS = new URL('./written.ts', import.meta.url).pathname;
const AUDIT = new URL('../../scripts/audit.ts', import.meta.url).pathname;

export interface Fleet {
  readonly project: string;
  /** One entry a place; a server that is struck is followed by another in its place. */
  readonly servers: ServerProcess[];
  journal(): Line[];
  /** Starts a server in a place. */
  start(place: number): Promise<void>;
  /** Ends one and writes it down. */
  end(place: number, signal: NodeJS.Signals): Promise<void>;
  /** Stops one for so long. */
  stop(place: number, ms: number): Promise<void>;
  /** What the shipped command prints. */
  audit(): Promise<string>;
}

/** Starts `count` servers at once; they reach Firestore by way of `address`. */
export async function openFleet(options: {
  readonly count: number;
  readonly jobs: number;
  readonly address?: string;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<Fleet> {
  const folder = tempFolder();
  const project = newProject();
  const write = openJournal(folder);
  const servers: ServerProcess[] = [];
  const env = (address: string) => ({
    PUNCTUAL_STORE: 'firestore',
    FIRESTORE_EMULATOR_HOST: address,
    GOOGLE_CLOUD_PROJECT: project,
    PUNCTUAL_WAKE: 'timer',
    PUNCTUAL_BUILD: 'test',
    PUNCTUAL_LEASE_MS: `${LEASE_MS}`,
    PUNCTUAL_TICK_MS: `${TICK_MS}`,
    PUNCTUAL_LOG_LEVEL: 'warn',
    PUNCTUAL_JOBS: JOBS,
    TEST_FOLDER: folder,
    TEST_JOBS: `${options.jobs}`,
    TMPDIR: folder,
    ...options.env,
  });
  const pidOf = (place: number): number => servers[place]?.child.pid ?? NaN;
  const fleet: Fleet = {
    project,
    servers,
    journal: () => readJournal(folder),
    async start(place) {
      servers[place] = await startServer(env(options.address ?? emulator ?? ''));
      write('up', pidOf(place));
    },
    async end(place, signal) {
      await servers[place]?.end(signal);
      write('gone', pidOf(place), signal);
    },
    async stop(place, ms) {
      const { child } = servers[place]!;
      write('stop', pidOf(place));
      child.kill('SIGSTOP');
      await wait(ms);
      write('cont', pidOf(place));
      child.kill('SIGCONT');
    },
    async audit() {
      const direct = { PATH: process.env['PATH'], ...env(emulator ?? '') };
      const done = promisify(execFile)(process.execPath, [AUDIT], { env: direct });
      const { stdout, stderr } = await done.catch((failed: Awaited<typeof done>) => failed);
      return `${stdout}${stderr}`.trim();
    },
  };
  await Promise.all(Array.from({ length: options.count }, (_, place) => fleet.start(place)));
  return fleet;
}

export const STRIKES = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const;
export type Strike = (typeof STRIKES)[number];

/**
 * Strikes processes at random for so long, then waits until all are there again. Each kind
 * comes equally often. There may be moments in which nobody is up.
 */
export async function strikeFor(fleet: Fleet, ms: number, random: Random): Promise<Strike[]> {
  const until = Date.now() + ms;
  const struck = new Map<number, Promise<void>>();
  const strikes: Strike[] = [];
  let left: Strike[] = [];
  while (Date.now() < until) {
    await wait(random.between(300, 2200));
    const places = [...fleet.servers.keys()].filter((place) => !struck.has(place));
    if (places.length === 0) continue;
    if (left.length === 0) left = [...STRIKES];
    const place = random.pick(...places);
    const [strike = 'SIGKILL'] = left.splice(random.below(left.length), 1);
    strikes.push(strike);
    const again = strikeOne(fleet, place, strike, random).then(() => void struck.delete(place));
    struck.set(place, again);
  }
  await Promise.all(struck.values());
  return strikes;
}

async function strikeOne(
  fleet: Fleet,
  place: number,
  strike: Strike,
  random: Random,
): Promise<void> {
  const pauseMs = random.between(0, 3000);
  if (strike === 'SIGSTOP') return await fleet.stop(place, LEASE_MS + 300 + pauseMs);
  await fleet.end(place, strike);
  await wait(pauseMs / 2);
  await fleet.start(place);
}
