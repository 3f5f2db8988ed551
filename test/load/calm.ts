import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { MIN_AGE_MS } from '../../server/core/retention.ts';
import type { Bar } from '../bench/section.ts';
import { account } from './account.ts';
import { growth, perHour, quantile, spread } from './figures.ts';
import { writeHistory } from './history.ts';
import { isPunctual, schedules } from './jobs/soak.ts';
import { latenessIn } from './lateness.ts';
import { inMb, inUse, MB, under, type Report, type Row } from './report.ts';
import type { Holds } from './holds.ts';
import { openPlace, type Place, type Server } from './server.ts';
import { visit, warmUp, type Visits } from './visits.ts';

/** A server that nobody does any harm to: what grows in it, and how punctual it is. */

/** What it holds at one moment, and how large its files are then. */
interface Sample extends Holds {
  readonly at: number;
  readonly inUse: number;
  readonly descriptors: number;
  readonly file: number;
  readonly wal: number;
}

export interface CalmOptions {
  readonly ms: number;
  /** Until caches are filled and lists are as long as they get. */
  readonly warmUpMs: number;
  readonly sampleEveryMs: number;
  readonly onProgress?: (text: string) => void;
}

/** Within this a count may move, for what it counts comes and goes. */
const HANDLES_SLACK = 3;
const LEFT_OVER_MS = 600_000;
const MEMORY_LIMIT_MB = 10;

export async function calm(options: CalmOptions): Promise<Report> {
  const { ms, warmUpMs } = options;
  const place = openPlace();
  try {
    // Its jobs are registered first: history can be written only of jobs that there are.
    await warmUp(place);
    // As of one that has been there for long: as many records as are going to be written are about
    // to be a day old, which is when retention may delete them. So the file should not grow.
    const from = Date.now() - MIN_AGE_MS;
    const past = writeHistory(place.db, schedules, { from, to: from + ms + LEFT_OVER_MS });
    const server = await place.start({ jobs: 'soak.ts' });
    const leave = new AbortController();
    const visits = visit(() => server.url, leave.signal);
    const startedAt = Date.now();
    await pause(Math.min(warmUpMs, ms / 2));
    const warmAt = Date.now();
    const samples = await sample(place, server, { ...options, until: startedAt + ms });
    leave.abort();
    const wrong = await server.stop();
    const stretch = { from: warmAt, to: startedAt + ms };
    return await report(place, { samples, stretch, visits: await visits, past, wrong });
  } finally {
    await place.close();
  }
}

/** At the same second of each minute, so that the same jobs are at work. */
async function sample(
  { db }: Place,
  server: Server,
  { until, sampleEveryMs, onProgress }: CalmOptions & { readonly until: number },
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const offset = sampleEveryMs / 2;
  for (;;) {
    const next = Math.ceil((Date.now() - offset) / sampleEveryMs) * sampleEveryMs + offset;
    if (next > until && samples.length > 1) return samples;
    await pause(next - Date.now());
    const holds = await server.holds();
    const one = {
      ...holds,
      at: Date.now(),
      inUse: inUse(holds),
      descriptors: server.descriptors(),
      file: sizeOf(db),
      wal: sizeOf(`${db}-wal`),
    };
    samples.push(one);
    onProgress?.(`heap ${inMb(one.heap)}, RSS ${inMb(one.rss)}, handles ${one.handles}`);
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

interface Found {
  readonly samples: readonly Sample[];
  readonly stretch: { readonly from: number; readonly to: number };
  readonly visits: Visits;
  readonly past: number;
  readonly wrong: readonly string[];
}

async function report(place: Place, found: Found): Promise<Report> {
  const { samples, stretch, visits, past } = found;
  const journal = place.journal();
  const accounted = await account({ db: place.db, journal, waiting: true });
  const late = latenessIn(journal, stretch, isPunctual);
  const of = (what: keyof Sample): readonly number[] => samples.map((one) => one[what]);
  const hourly = (what: keyof Sample): number =>
    perHour(samples.map((one) => [one.at, one[what]] as const));
  const left = accounted.runs.filter(({ build }) => build === 'written-past').length;
  const grown = (what: 'heap' | 'rss' | 'inUse' | 'file' | 'wal', name: string): Row => [
    name,
    `${inMb(of(what)[0] ?? 0)} to ${inMb(of(what).at(-1) ?? 0)}, ` +
      `${(hourly(what) / MB).toFixed(2)} MB an hour`,
  ];
  const counted = (what: 'descriptors' | 'handles', name: string): Row => [
    name,
    `${Math.min(...of(what))} to ${Math.max(...of(what))}, ${hourly(what).toFixed(2)} an hour`,
  ];
  const minutes = (stretch.to - stretch.from) / 60_000;
  return {
    title: `Left in peace, ${minutes.toFixed(1)} min after warm-up, ${samples.length} samples`,
    rows: [
      ['start after the second that was scheduled', spread(late)],
      grown('heap', 'heap after garbage collection'),
      grown('rss', 'RSS'),
      grown('inUse', 'RSS, but for what V8 keeps in reserve'),
      grown('file', 'database file'),
      grown('wal', 'its write-ahead log'),
      counted('descriptors', 'descriptors'),
      counted('handles', 'timers and other handles'),
      ['pages opened', spread(visits.tookMs)],
      ['old records, that retention deleted', `${past - left} of ${past}`],
      ...accounted.rows,
    ],
    bars: barsOf(of, late),
    wrong: [...found.wrong, ...visits.wrong, ...accounted.wrong, ...place.errors()],
  };
}

function barsOf(of: (what: keyof Sample) => readonly number[], late: readonly number[]): Bar[] {
  const grown = (what: keyof Sample): number => growth(of(what));
  return [
    under('heap, grown', grown('heap') / MB, MEMORY_LIMIT_MB, 'MB'),
    under('RSS in use, grown', grown('inUse') / MB, MEMORY_LIMIT_MB, 'MB'),
    under('descriptors, grown', grown('descriptors'), HANDLES_SLACK, ''),
    under('handles, grown', grown('handles'), HANDLES_SLACK, ''),
    under('start, p50', quantile(late, 0.5), 50, 'ms'),
    under('start, p99', quantile(late, 0.99), 250, 'ms'),
  ];
}
