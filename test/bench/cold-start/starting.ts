import { execFileSync, spawn } from 'node:child_process';
import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const STARTED_WITHIN_MS = 30_000;
const SERVICE = ['server', 'views', 'jobs', 'scripts', 'package.json', 'firestore.indexes.json'];
const JOBS = 'test/bench/cold-start/jobs.ts';
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A bare Express that says hello: what ours is measured against. */
export const HELLO = path('hello.ts');

/** Nothing is taken from a cache, nor kept in one. */
export const UNCACHED = { NODE_DISABLE_COMPILE_CACHE: '1' } as const;

/** A copy of the service, which keeps what it compiles in its own folder. */
export interface Place {
  readonly main: string;
  /** The 200 jobs as its own, and a build that stays the same. */
  readonly env: Readonly<Record<string, string>>;
}

export function copyService(folder: string): Place {
  for (const name of [...SERVICE, 'test/bench/cold-start']) {
    cpSync(path(`../../../${name}`), join(folder, name), { recursive: true });
  }
  symlinkSync(path('../../../node_modules'), join(folder, 'node_modules'));
  const env = { PUNCTUAL_JOBS: join(folder, JOBS), PUNCTUAL_BUILD: 'bench' };
  return { main: join(folder, 'server/start.js'), env };
}

/** A copy that was compiled ahead, as every deployment is. */
export function buildService(folder: string): Place {
  const place = copyService(folder);
  execFileSync(process.execPath, [join(folder, 'scripts/compile-cache.ts')], {
    env: { PATH: process.env['PATH'], ...place.env },
    stdio: 'pipe',
  });
  return place;
}

export interface Starting {
  readonly what: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A process that listens. Whoever started it ends it. */
export interface Started {
  readonly url: string;
  /** When it was started, and when it said that it listens, by `performance.now`. */
  readonly from: number;
  readonly listeningAt: number;
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
}

export async function start({ what, args, env }: Starting): Promise<Started> {
  const from = performance.now();
  const child = spawn(process.execPath, [...args], {
    env: { PATH: process.env['PATH'], PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const end = (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    child.kill(signal);
    return ended;
  };
  try {
    const { url, listeningAt } = await new Promise<Pick<Started, 'url' | 'listeningAt'>>(
      (resolve, reject) => {
        let text = '';
        const fail = (why: string): void => reject(new Error(`${what}: ${why}\n${text}`));
        setTimeout(() => fail('does not start'), STARTED_WITHIN_MS).unref();
        child.once('exit', (status) => fail(`ended with ${status}`));
        child.stdout.on('data', (data: Buffer) => {
          const now = performance.now();
          text += data.toString();
          const url = /at (http:\S+)/.exec(text)?.[1];
          if (url !== undefined) resolve({ url, listeningAt: now });
        });
      },
    );
    return { url, from, listeningAt, end };
  } catch (error) {
    await end('SIGKILL');
    throw error;
  }
}
