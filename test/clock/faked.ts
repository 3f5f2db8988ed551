import { execFile } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { startServer, tempFolder, type ServerProcess } from '../process/server.ts';
import { problemsOf, type Told } from './journal.ts';

/**
 * Real processes that are shown a false wall clock by libfaketime; their monotonic one is left
 * alone. Only where that library is installed: what it shows, the injected clock of this folder
 * shows too.
 */

const PLACES = ['/usr/lib', '/usr/lib64', '/usr/local/lib', '/usr/local/lib64'];
const NAME = 'faketime/libfaketimeMT.so.1';

/** The library's path; undefined where it is not installed. */
export const library = PLACES.flatMap((place) => [
  join(place, NAME),
  ...(existsSync(place) ? readdirSync(place) : [])
    .filter((name) => name.endsWith('-linux-gnu'))
    .map((name) => join(place, name, NAME)),
]).find((path) => existsSync(path));

if (library === undefined) {
  process.stdout.write('libfaketime is not installed: servers with a false clock are left out\n');
}

/** A clock in a file. Whoever is started with its `env` sees it. */
export class FalseClock {
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  constructor(at: number) {
    this.#file = join(tempFolder(), 'clock');
    this.set(at);
    this.env = {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
  }

  #ahead = 0;

  get now(): number {
    return Date.now() + this.#ahead;
  }

  set(at: number): void {
    this.#ahead = at - Date.now();
    const seconds = (this.#ahead / 1000).toFixed(3);
    writeFileSync(this.#file, `${this.#ahead < 0 ? '' : '+'}${seconds}\n`);
  }

  setBy(ms: number): void {
    this.set(this.now + ms);
  }
}

/** Leases of 2 s: a clock is doubted for as long, and a step is one of more than 200 ms. */
export const LEASE_MS = 2000;

/** A database, and the servers on it. */
export interface Place {
  readonly env: Readonly<Record<string, string>>;
  start(clock: FalseClock): Promise<ServerProcess>;
  kill(server: ServerProcess): Promise<void>;
  /** Calls one of the scripts, as a person on this machine would. */
  call(clock: FalseClock, script: string, ...words: string[]): Promise<string>;
  /** Whatever handlers did that breaks a promise. */
  problems(): string[];
}

export function place(more: Readonly<Record<string, string>> = {}): Place {
  const folder = tempFolder();
  const env = {
    PUNCTUAL_DB: join(folder, 'punctual.db'),
    PUNCTUAL_JOBS: new URL('./faked-jobs.ts', import.meta.url).pathname,
    PUNCTUAL_LEASE_MS: `${LEASE_MS}`,
    PUNCTUAL_TICK_MS: '2000',
    PUNCTUAL_BUILD: 'test',
    TEST_FOLDER: folder,
    TMPDIR: folder,
    USER: 'ann',
    ...more,
  };
  return {
    env,
    async start(clock) {
      const server = await startServer({ ...env, ...clock.env });
      onTestFinished(() => tidyUp(server.child.pid));
      return server;
    },
    async kill(server) {
      await server.end('SIGKILL');
      appendFileSync(join(folder, 'journal'), `gone ${server.child.pid}\n`);
    },
    async call(clock, script, ...words) {
      const path = new URL(`../../scripts/${script}`, import.meta.url).pathname;
      const all = { PATH: process.env['PATH'], ...env, ...clock.env };
      const done = promisify(execFile)(process.execPath, [path, ...words], { env: all });
      const { stdout, stderr } = await done.catch((failed: Awaited<typeof done>) => failed);
      return `${stdout}${stderr}`.trim();
    },
    // One that stood still for as long as a lease is given up by others: that is no clock's fault.
    problems: () => problemsOf(toldIn(folder).filter(({ stillMs }) => stillMs < LEASE_MS / 2)),
  };
}

/** What handlers wrote: `begin` and `end`, and `gone` for a process that was killed. */
function toldIn(folder: string): (Told & { stillMs: number })[] {
  const all: (Told & { stillMs: number })[] = [];
  const lines = readFileSync(join(folder, 'journal'), 'utf8').trim().split('\n');
  for (const [at, line] of lines.entries()) {
    const [word, pid = '', job = '', run = '', attempt, fence, trigger = '', instant] =
      line.split(' ');
    if (word === 'begin') {
      const numbers = { attempt: Number(attempt), fence: Number(fence) };
      const times = { scheduledAt: Number(instant), beganAt: at, endedAt: undefined, how: '' };
      all.push({ process: pid, job, run, trigger, ...numbers, ...times, stillMs: 0 });
      continue;
    }
    const isOver = (told: Told): boolean =>
      word === 'gone' ? told.process === pid : told.run === run && `${told.attempt}` === attempt;
    for (const told of all) {
      if (told.endedAt !== undefined || !isOver(told)) continue;
      told.endedAt = at;
      if (word === 'end') told.stillMs = Number(fence);
    }
  }
  return all;
}

/** The library leaves these behind where a process is killed. */
function tidyUp(pid: number | undefined): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) {
    rmSync(join('/dev/shm', name), { force: true });
  }
}
