/**
 * Runs the whole protocol from seeds, with every fault at every point, and looks whether a rule is
 * ever broken. Each seed is one life of a small service: some machines, processes, jobs and people.
 *
 *   npm run simulate -- --seeds 2000              that many lives, from seed 1
 *   npm run simulate -- --seeds 2000 --seed 5001  … from seed 5001
 *   npm run simulate -- --seed 42                 one life
 *   npm run simulate -- --seed 42 --verbose       … with all that happens in it
 *
 * Prints how many a second, and what faults came how often. Where a rule is broken it prints the
 * end of that life's history, which the same seed gives again, and exits 1.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { live } from '../test/simulation/life.ts';
import type { Report, Share } from '../test/simulation/worker.ts';

/** What is counted though nobody injected it. */
const OUTCOMES = new Set(['grants', 'leases that ran out', 'unattended', 'requests', 'drained']);
/** The last lines of a history that tell about what went wrong. */
const HISTORY_LINES = 40;
/** Of so many failed lives the histories are shown; of the others the seeds. */
const SHOWN = 3;
const WORKERS_LIMIT = 16;

interface Total {
  lives: number;
  simulatedMs: number;
  events: number;
  readonly counts: Map<string, number>;
  readonly failed: { readonly seed: string; readonly violation: string }[];
}

const { seeds, first, verbose } = readArguments();
if (verbose && seeds === 1) await tellAll(String(first));
else await run();

function readArguments(): { seeds: number; first: number; verbose: boolean } {
  const options = {
    seeds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
  } as const;
  try {
    const { values } = parseArgs({ options });
    return {
      seeds: whole('--seeds', values.seeds),
      first: whole('--seed', values.seed),
      verbose: values.verbose,
    };
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && text.trim() === text) return value;
  throw new Error(`${name} is "${text}"; right would be a whole number from 1 on`);
}

/** One life, line by line. */
async function tellAll(seed: string): Promise<void> {
  const { trace, violation, counts } = await live(seed, { trace: true });
  console.log(trace.join('\n'));
  console.log(tables(counts));
  console.log(violation === undefined ? 'No rule was broken.' : `Broken: ${violation}`);
  process.exitCode = violation === undefined ? 0 : 1;
}

async function run(): Promise<void> {
  const started = performance.now();
  const total: Total = { lives: 0, simulatedMs: 0, events: 0, counts: new Map(), failed: [] };
  const workers = Math.min(availableParallelism(), WORKERS_LIMIT, seeds);
  const shares = Array.from({ length: workers }, (_, i): Share => {
    const count = Math.floor(seeds / workers) + (i < seeds % workers ? 1 : 0);
    return { first: first + i, step: workers, count };
  });
  await Promise.all(shares.map((share) => work(share, (report) => add(total, report, started))));
  const seconds = (performance.now() - started) / 1000;
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  console.log(summary(total, seconds));
  for (const { seed, violation } of total.failed.slice(0, SHOWN)) await tellEnd(seed, violation);
  for (const { seed, violation } of total.failed.slice(SHOWN)) {
    console.log(`seed ${seed}: ${violation}`);
  }
  const broken = total.failed.length;
  const lives = broken === 1 ? '1 life' : `${broken} lives`;
  console.log(broken === 0 ? 'No rule was broken.' : `${lives} broke a rule.`);
  process.exitCode = broken === 0 ? 0 : 1;
}

function work(share: Share, onReport: (report: Report) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const url = new URL('../test/simulation/worker.ts', import.meta.url);
    const worker = new Worker(url, { workerData: share });
    worker.on('message', onReport);
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  });
}

function add(total: Total, report: Report, started: number): void {
  total.lives += report.lives;
  total.simulatedMs += report.simulatedMs;
  total.events += report.events;
  total.failed.push(...report.failed);
  for (const [what, n] of report.counts) total.counts.set(what, (total.counts.get(what) ?? 0) + n);
  if (!process.stderr.isTTY) return;
  const rate = total.lives / ((performance.now() - started) / 1000);
  process.stderr.write(`\r${total.lives} of ${seeds} lives, ${rate.toFixed(0)} a second`);
}

function summary({ lives, simulatedMs, events, counts }: Total, seconds: number): string {
  const last = first + seeds - 1;
  const range = lives === 1 ? `seed ${first}` : `seeds ${first} to ${last}`;
  const hours = simulatedMs / 3_600_000;
  const simulated = lives < 100 ? hours.toFixed(1) : number(Math.round(hours));
  return [
    `${number(lives)} ${lives === 1 ? 'life' : 'lives'} (${range}) in ${seconds.toFixed(1)} s: ` +
      `${(lives / seconds).toFixed(0)} seeds a second`,
    `${simulated} simulated hours, ${number(events)} events`,
    '',
    tables(counts),
  ].join('\n');
}

function tables(counts: ReadonlyMap<string, number>): string {
  const rows = [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, n]) => ({ what, row: `  ${what.padEnd(34)}${number(n).padStart(12)}` }));
  const of = (outcome: boolean): string[] =>
    rows.filter(({ what }) => OUTCOMES.has(what) === outcome).map(({ row }) => row);
  return ['Faults', ...of(false), '', 'Beside them', ...of(true), ''].join('\n');
}

function number(n: number): string {
  return n.toLocaleString('en');
}

/** The end of a life that broke a rule: what its job and the processes did last. */
async function tellEnd(seed: string, violation: string): Promise<void> {
  const { trace } = await live(seed, { trace: true });
  const job = /\b([a-d])(?:[@!]|\b)/.exec(violation)?.[1];
  const about = new RegExp(
    'VIOLATION|stands still|ends:|starts on|sleeps|is set|deployed|over$' +
      `| ${job ?? '.'}(?:[@!: ]|$)`,
  );
  const lines = trace.filter((line) => about.test(line)).slice(-HISTORY_LINES);
  console.log(`seed ${seed}: ${violation}`);
  for (const line of lines) console.log(`  ${shorter(line)}`);
  console.log(`  all of it: npm run simulate -- --seed ${seed} --verbose\n`);
}

/** Ids of runs by hand are hashes: their beginning tells them apart. */
function shorter(line: string): string {
  return line.replaceAll(/!([a-z2-7]{8})[a-z2-7]{44}/g, '!$1…').slice(0, 300);
}
