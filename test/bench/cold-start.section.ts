import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findEmulator, startEmulator } from '../firestore/emulator.ts';
import { median } from './measure.ts';
import type { Bar, Result } from './section.ts';

/*
 * From the start of the process to the answer to the first trigger, with 200 jobs that are known to
 * the store already: what an instance that was scaled to zero takes. Beside it, in turns, a bare
 * Express; and for Firestore one that imports its client and reads one document.
 */

const ROUNDS = 7;
const STARTED_WITHIN_MS = 30_000;
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Variant {
  readonly what: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What is asked first. */
  readonly ask: { readonly path: string; readonly method: 'GET' | 'POST' };
}

const HELLO = { path: '/', method: 'GET' } as const;
const TICK = { path: '/triggers/tick', method: 'POST' } as const;

export async function measure(say: (doing: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const jar = findEmulator();
  const emulator = jar === undefined ? undefined : await startEmulator(jar);
  try {
    const cache = { NODE_COMPILE_CACHE: join(folder, 'cache') };
    const variants = [
      ...variantsOf(folder, emulator?.address, {}),
      ...variantsOf(folder, emulator?.address, cache),
    ];
    say('starting each once, so that stores are made and jobs registered');
    for (const variant of variants) await start(variant);
    const found = variants.map(() => [] as number[]);
    for (let round = 0; round < ROUNDS; round += 1) {
      say(`round ${round + 1} of ${ROUNDS}`);
      for (const [i, variant] of variants.entries()) found[i]?.push(await start(variant));
    }
    return result(variants, found.map(median));
  } finally {
    emulator?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function variantsOf(
  folder: string,
  emulator: string | undefined,
  cache: Readonly<Record<string, string>>,
): Variant[] {
  const main = [path('../../server/main.ts')];
  const hello = path('./cold-start/hello.ts');
  const cached = Object.keys(cache).length > 0 ? ', compile cache' : '';
  const jobs = { PUNCTUAL_JOBS: path('./cold-start/jobs.ts'), PUNCTUAL_BUILD: 'bench' };
  const local: Variant[] = [
    { what: `bare Express${cached}`, args: [hello], env: cache, ask: HELLO },
    {
      what: `Punctual on SQLite${cached}`,
      args: main,
      env: { ...cache, ...jobs, PUNCTUAL_DB: join(folder, 'punctual.db') },
      ask: TICK,
    },
  ];
  if (emulator === undefined) return local;
  const there = {
    FIRESTORE_EMULATOR_HOST: emulator,
    GOOGLE_CLOUD_PROJECT: 'bench',
    METADATA_SERVER_DETECTION: 'none',
  };
  return [
    ...local,
    {
      what: `Express and Firestore’s client${cached}`,
      args: [hello, 'firestore'],
      env: { ...cache, ...there },
      ask: HELLO,
    },
    {
      what: `Punctual on Firestore${cached}`,
      args: main,
      env: { ...cache, ...there, ...jobs, PUNCTUAL_STORE: 'firestore', PUNCTUAL_WAKE: 'tick' },
      ask: TICK,
    },
  ];
}

/** Starts a process, asks it at once, and gives the milliseconds from start to answer. */
async function start({ what, args, env, ask }: Variant): Promise<number> {
  const before = performance.now();
  const child = spawn(process.execPath, [...args], {
    env: { PATH: process.env['PATH'], PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let text = '';
      const fail = (why: string): void => reject(new Error(`${what}: ${why}\n${text}`));
      setTimeout(() => fail('does not start'), STARTED_WITHIN_MS).unref();
      child.once('exit', (status) => fail(`ended with ${status}`));
      child.stdout.on('data', (data: Buffer) => {
        text += data.toString();
        const found = /at (http:\S+)/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    const answer = await fetch(`${url}${ask.path}`, { method: ask.method });
    await answer.text();
    if (!answer.ok) throw new Error(`${what}: answered ${answer.status}`);
    return performance.now() - before;
  } finally {
    child.removeAllListeners('exit');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // Told to stop, not killed: what it compiled is written to the cache at its end.
    child.kill('SIGTERM');
    await ended;
  }
}

function result(variants: readonly Variant[], ms: readonly number[]): Result {
  const base = (i: number): number => ms[i - 1] ?? NaN;
  const rows = variants.map(({ what }, i) => [
    what,
    Math.round(ms[i] ?? NaN),
    i % 2 === 1 ? ((ms[i] ?? NaN) / base(i)).toFixed(2) : '',
  ]);
  const bars = variants.flatMap(({ what }, i): Bar[] => {
    if (i % 2 === 0) return [];
    const bound = { under: what.includes('Firestore') ? 1.5 : 2 };
    return [
      {
        what: `${what}, against the line above it`,
        measured: (ms[i] ?? NaN) / base(i),
        unit: 'times',
        bound,
      },
    ];
  });
  const columns = ['from the start to the first answer', 'ms', 'times'];
  return { tables: [{ title: 'Cold start with 200 jobs', columns, rows }], bars };
}
