import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildService, HELLO, start, UNCACHED } from './cold-start/starting.ts';
import type { Place, Starting } from './cold-start/starting.ts';
import { findEmulator, startEmulator } from '../firestore/emulator.ts';
import { median } from './measure.ts';
import type { Bar, Result } from './section.ts';

/*
 * From the start of the process to the answer to the first trigger, with 200 jobs that are known to
 * the store already: what an instance that was scaled to zero takes. Beside it, in turns, a bare
 * Express; and for Firestore one that imports its client and reads one document. Each without and
 * with what was compiled before, as that is how it is deployed, and where the bars are.
 */

const ROUNDS = 7;

interface Variant extends Starting {
  /** What is asked first. */
  readonly ask: { readonly path: string; readonly method: 'GET' | 'POST' };
}

const ROOT = { path: '/', method: 'GET' } as const;
const TICK = { path: '/triggers/tick', method: 'POST' } as const;

export async function measure(say: (doing: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const jar = findEmulator();
  const emulator = jar === undefined ? undefined : await startEmulator(jar);
  try {
    say('building as for a deployment');
    const built = buildService(join(folder, 'built'));
    const place = { folder, built, emulator: emulator?.address };
    const variants = [
      ...variantsOf({ ...place, compiled: false }),
      ...variantsOf({ ...place, compiled: true }),
    ];
    say('starting each once, so that stores are made and jobs registered');
    for (const variant of variants) await answered(variant);
    const found = variants.map(() => [] as number[]);
    for (let round = 0; round < ROUNDS; round += 1) {
      say(`round ${round + 1} of ${ROUNDS}`);
      for (const [i, variant] of variants.entries()) found[i]?.push(await answered(variant));
    }
    return result(variants, found.map(median));
  } finally {
    emulator?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is compared: each of ours after the Express that it is measured against. */
function variantsOf(place: {
  readonly folder: string;
  readonly built: Place;
  readonly emulator: string | undefined;
  /** With what was compiled before: ours by its build, Express by its own first start. */
  readonly compiled: boolean;
}): Variant[] {
  const { folder, built, emulator, compiled } = place;
  const main = [built.main];
  const how = compiled ? ', compiled before' : '';
  const express = compiled ? { NODE_COMPILE_CACHE: join(folder, 'cache') } : UNCACHED;
  const ours = { ...built.env, ...(!compiled && UNCACHED) };
  const local: Variant[] = [
    { what: `bare Express${how}`, args: [HELLO], env: express, ask: ROOT },
    {
      what: `Punctual on SQLite${how}`,
      args: main,
      env: { ...ours, PUNCTUAL_DB: join(folder, 'punctual.db') },
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
      what: `Express and Firestore’s client${how}`,
      args: [HELLO, 'firestore'],
      env: { ...express, ...there },
      ask: ROOT,
    },
    {
      what: `Punctual on Firestore${how}`,
      args: main,
      env: { ...there, ...ours, PUNCTUAL_STORE: 'firestore', PUNCTUAL_WAKE: 'tick' },
      ask: TICK,
    },
  ];
}

/** Starts a process, asks it at once, and gives the milliseconds from start to answer. */
async function answered(variant: Variant): Promise<number> {
  const { what, ask } = variant;
  const { url, from, end } = await start(variant);
  try {
    const answer = await fetch(`${url}${ask.path}`, { method: ask.method });
    await answer.text();
    if (!answer.ok) throw new Error(`${what}: answered ${answer.status}`);
    return performance.now() - from;
  } finally {
    // Express is told to stop, as what it compiled is kept at its end. Ours has what its build gave
    // it: an instance can't add to that.
    await end(ask === ROOT ? 'SIGTERM' : 'SIGKILL');
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
    if (i % 2 === 0 || !what.includes('compiled')) return [];
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
