import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const STARTED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 10;

/** The service as `npm start` starts it, and the bare Express that it is measured against. */
export const SERVICE = fileURLToPath(new URL('../../server/start.js', import.meta.url));

/** A server in a process of its own. Whoever starts it ends it. */
export interface Started {
  readonly url: string;
  readonly pid: number;
  /** Tells it to stop, and waits until it has. */
  end(): Promise<void>;
}

export interface Starting {
  /** Its name among those that share a folder: what it prints is kept there. */
  readonly name: string;
  readonly folder: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a process, and waits until it says where it listens. */
export async function start({ name, folder, args, env }: Starting): Promise<Started> {
  const file = join(folder, `${name}.log`);
  const out = openSync(file, 'w');
  const child = spawn(process.execPath, [...args], {
    env: { PATH: process.env['PATH'], TMPDIR: folder, PORT: '0', ...env },
    stdio: ['ignore', out, out],
  });
  closeSync(out);
  const ended = once(child, 'exit');
  const end = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  const giveUpAt = performance.now() + STARTED_WITHIN_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < giveUpAt) {
    const url = /at (http:\S+)/.exec(readFileSync(file, 'utf8'))?.[1];
    if (url !== undefined) return { url, pid: child.pid ?? NaN, end };
    await pause(LOOK_EVERY_MS);
  }
  child.kill('SIGKILL');
  throw new Error(`${name} did not start:\n${readFileSync(file, 'utf8')}`);
}
