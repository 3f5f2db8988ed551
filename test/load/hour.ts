import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { account } from './account.ts';
import { quantile, largest } from './figures.ts';
import type { HourAsked, HourSample } from './hour-service.ts';
import { grownBars, inUse, MB, memoryRows, under, type Report } from './report.ts';
import { openPlace, type Place } from './server.ts';

/** An hour of a service with many jobs, as fast as it goes: does it hold what it held at first? */

const SERVICE = new URL('hour-service.ts', import.meta.url).pathname;
const PAGES = ['/', '/?text=team-7', '/jobs/job-00000', '/runs', '/timeline', '/system'];
const IDLE_LIMIT_MS = 20;
/** Of the service itself; those of a run are gone with it. */
const TIMERS_LIMIT = 10;
const PAGE_LIMIT_MS = 1000;

export interface HourOptions extends HourAsked {
  /** By how much memory may have grown since warm-up. */
  readonly growthMb: Readonly<Record<'heap' | 'rss', number>>;
}

export async function hour(options: HourOptions): Promise<Report> {
  const place = openPlace();
  try {
    const before = performance.now();
    const { samples: all, pages, wrong } = await live(place, options);
    // Before the first its pages had never been opened.
    const samples = all.slice(1);
    const seconds = (performance.now() - before) / 1000;
    const journal = place.journal();
    const accounted = await account({ db: place.db, journal, waiting: true });
    const late = accounted.runs.flatMap(({ scheduledAt, startedAt }) =>
      scheduledAt === null || startedAt === null ? [] : [startedAt - scheduledAt],
    );
    const [first, last] = [samples[0], samples.at(-1)];
    if (first === undefined || last === undefined) throw new Error('nothing was measured');
    const counts = (what: 'timers' | 'handles'): string =>
      samples.map((one) => one[what]).join(', ');
    return {
      title: `${options.jobs} jobs, ${options.minutes} minutes of fast time`,
      rows: [
        ['took', `${seconds.toFixed(0)} s`],
        ['runs a minute', journal.filter(({ word }) => word === 'begin').length / last.minute],
        ...memoryRows(first, last),
        [
          'the same, at each look, in MB',
          samples.map((one) => (inUse(one) / MB).toFixed(0)).join(' '),
        ],
        ['timers of the service', counts('timers')],
        ['handles of the process', counts('handles')],
        ['late by, in its own time', `p50 ${ms(late, 0.5)}, p99 ${ms(late, 0.99)}`],
        ['late by at most', ms(late, 1)],
        ['a wake-up with nothing due', `${last.idleMs.toFixed(2)} ms`],
        ...[...pages].map(([page, took]) => [page, `at most ${ms(took, 1)}`] as const),
        ...accounted.rows,
      ],
      bars: [
        ...grownBars(first, last, options.growthMb),
        under('timers at rest', largest(samples.map(({ timers }) => timers)), TIMERS_LIMIT, ''),
        under('handles, grown', last.handles - first.handles, 1, ''),
        under('a wake-up with nothing due', last.idleMs, IDLE_LIMIT_MS, 'ms'),
        under('slowest page', largest([...pages.values()].flat()), PAGE_LIMIT_MS, 'ms'),
      ],
      wrong: [...wrong, ...accounted.wrong],
    };
  } finally {
    await place.close();
  }
}

const ms = (values: readonly number[], part: number): string =>
  `${quantile(values, part).toFixed(0)} ms`;

async function live({ folder, db }: Place, options: HourOptions) {
  const file = join(folder, 'service.log');
  const out = openSync(file, 'w');
  const child = fork(SERVICE, {
    execArgv: ['--expose-gc'],
    env: { PATH: process.env['PATH'], PORT: '0', PUNCTUAL_DB: db, LOAD_FOLDER: folder },
    stdio: ['ignore', out, out, 'ipc'],
  });
  closeSync(out);
  const ended = once(child, 'exit').then(() => undefined);
  const samples: HourSample[] = [];
  const pages = new Map<string, number[]>();
  const wrong: string[] = [];
  child.send(options satisfies HourAsked);
  for (;;) {
    const sent = once(child, 'message').then(([sample]: HourSample[]) => sample);
    const sample = await Promise.race([sent, ended]);
    if (sample === undefined) break;
    samples.push(sample);
    for (const path of PAGES) {
      const before = performance.now();
      const answer = await fetch(sample.url + path);
      const text = await answer.text();
      pages.set(path, [...(pages.get(path) ?? []), performance.now() - before]);
      if (answer.status !== 200) wrong.push(`${path}: ${answer.status} ${text.slice(0, 200)}`);
    }
    child.send('go on');
  }
  const said = readFileSync(file, 'utf8').split('\n').filter(isOdd);
  const status = child.exitCode;
  if (status !== 0) wrong.push(`the process ended with ${status ?? child.signalCode}`);
  return { samples, pages, wrong: [...wrong, ...said] };
}

/** Handlers that fail at first are no news. */
const isOdd = (line: string): boolean => line !== '' && !line.includes('"attempt_ended"');
