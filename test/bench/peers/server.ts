import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Servers of our own, each with its data in a folder that is thrown away. */

const STARTED_WITHIN_MS = 30_000;

/** Where a program is on the PATH; undefined where it is not. */
export const onPath = (program: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(existsSync);

export interface Server {
  /** What clients connect to. */
  readonly socket: string;
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

/** A user of the machine, for what must not run as root. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

export interface Starting {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly user: User | undefined;
  /** What it prints once it can be asked. */
  readonly ready: RegExp;
  readonly stopBy: 'SIGTERM' | 'SIGINT';
}

/** Starts a server, and waits until it can be asked; gives what stops it. */
export async function startServer(starting: Starting): Promise<Server['stop']> {
  const { program, args, folder, user, ready, stopBy } = starting;
  const child = spawn(program, [...args], {
    ...user,
    cwd: folder,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill(stopBy);
  // However this process ends, but by force.
  process.once('exit', kill);
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    process.off('exit', kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    kill();
    await ended;
  };
  try {
    await new Promise<void>((resolve, reject) => {
      let said = '';
      const fail = (why: string): void => reject(new Error(`${program} ${why}\n${said}`));
      const timer = setTimeout(() => fail('does not start'), STARTED_WITHIN_MS);
      timer.unref();
      const read = (data: Buffer): void => {
        // Of what it says later nothing is kept, but it has to be read.
        if (ready.test(said)) return;
        said += data.toString();
        if (!ready.test(said)) return;
        clearTimeout(timer);
        resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('error', reject);
      child.once('exit', (status) => fail(`ended with ${status}`));
    });
  } catch (error) {
    // One that was never there does not end.
    if (child.pid !== undefined) await stop();
    throw error;
  }
  return stop;
}
