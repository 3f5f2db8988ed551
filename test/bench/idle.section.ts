import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onCoreMs, residentMib } from './idle/proc.ts';
import { median } from './measure.ts';
import type { Bar, Cell, Result } from './section.ts';
import { SERVICE, start, type Started } from './started.ts';

/*
 * What a service with 200 jobs takes while none of them is due: of a core, and of memory. Started as
 * `npm start` does it, with what was compiled before, as that is how it is deployed. Beside it, all
 * at the same time, a bare Node and a bare Express; and one of ours that people have looked at.
 */

/** By then the first wake-up is over, and what the start left behind is collected. */
const SETTLES_MS = 20_000;
const ROUNDS = 5;
const ROUND_MS = 10_000;
const CORE_PERCENT = 0.2;
const MIB = 80;
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const OURS = 'Punctual with 200 jobs';
const SEEN = '… after its pages and its API were asked';
const PAGES = ['/', '/jobs/job-7', '/runs', '/timeline', '/system', '/api/v1/jobs', '/metrics'];

interface Variant {
  readonly what: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What it is asked once it is started. */
  readonly ask: readonly string[];
}

function variantsIn(folder: string): Variant[] {
  const cache = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const ours = (db: string) => ({
    ...cache,
    PUNCTUAL_JOBS: path('idle/jobs.ts'),
    PUNCTUAL_DB: join(folder, db),
  });
  return [
    { what: 'bare Node', args: [path('idle/bare.ts')], env: cache, ask: [] },
    { what: 'bare Express', args: [path('cold-start/hello.ts')], env: cache, ask: ['/'] },
    { what: OURS, args: [SERVICE], env: ours('ours.db'), ask: [] },
    { what: SEEN, args: [SERVICE], env: ours('seen.db'), ask: PAGES },
  ];
}

export async function measure(say: (doing: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const started: Started[] = [];
  try {
    const variants = variantsIn(folder);
    const begin = async (): Promise<void> => {
      for (const { what, args, env, ask } of variants) {
        say(`starting ${what}`);
        const name = what.replaceAll(/\W+/g, '-');
        const server = await start({ name, folder, args, env });
        started.push(server);
        for (const one of ask) await (await fetch(server.url + one)).text();
      }
    };
    const end = async (): Promise<void> => {
      for (const server of started.splice(0)) await server.end();
    };
    // The first start is the one that compiles, and puts the jobs on record.
    await begin();
    await end();
    await begin();
    say(`letting them settle for ${SETTLES_MS / 1000} s`);
    await pause(SETTLES_MS);
    const found = await watch(started, say);
    await end();
    return resultOf(variants, found);
  } finally {
    for (const server of started) await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Found {
  /** Of all rounds together. */
  readonly percent: number;
  readonly mib: number;
}

async function watch(started: readonly Started[], say: (doing: string) => void): Promise<Found[]> {
  const [before, from] = [started.map(({ pid }) => onCoreMs(pid)), performance.now()];
  const mib = started.map(() => [] as number[]);
  for (let round = 1; round <= ROUNDS; round += 1) {
    say(`round ${round} of ${ROUNDS}`);
    await pause(ROUND_MS);
    for (const [i, { pid }] of started.entries()) mib[i]?.push(residentMib(pid));
  }
  const ms = performance.now() - from;
  return started.map(({ pid }, i) => ({
    percent: ((onCoreMs(pid) - (before[i] ?? NaN)) / ms) * 100,
    mib: median(mib[i] ?? []),
  }));
}

function resultOf(variants: readonly Variant[], found: readonly Found[]): Result {
  const rows = variants.map(({ what }, i): Cell[] => [
    what,
    found[i]?.percent ?? NaN,
    found[i]?.mib ?? NaN,
  ]);
  const { percent, mib } = found[variants.findIndex(({ what }) => what === OURS)] ?? {};
  const bars: Bar[] = [
    { what: 'idle', measured: percent ?? NaN, unit: '% of a core', bound: { under: CORE_PERCENT } },
    { what: 'idle, memory', measured: mib ?? NaN, unit: 'MiB', bound: { under: MIB } },
  ];
  const title = `Nothing due, for ${(ROUNDS * ROUND_MS) / 1000} s`;
  return { tables: [{ title, columns: ['', '% of a core', 'memory, MiB'], rows }], bars };
}
