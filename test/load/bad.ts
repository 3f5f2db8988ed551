import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { account } from './account.ts';
import { BAD_REQUESTS, type BadRequest } from './bad-requests.ts';
import { quantile, spread } from './figures.ts';
import { latenessIn, type Stretch } from './lateness.ts';
import { grownBars, memoryRows, under, type Report } from './report.ts';
import { openPlace, until, type Server } from './server.ts';

/** Bad requests, as many and for as long as told: does scheduling notice? */

export interface BadOptions {
  readonly perSecond: number;
  readonly ms: number;
  /** Nothing is sent for so long, then bad requests are, in turns, on the same machine. */
  readonly sliceMs: number;
}

/** So much slower the slowest starts may be. */
const MOST_TIMES = 2;
/** Under this a ratio says more of the machine's moods than of what is sent. */
const LEAST_MS = 5;
const GROWTH_MB = 10;
/** So many are sent first: what the engine takes beside its objects has settled by then. */
const WARM_UP_SLICES = 3;
const DEADLINE_MS = 10_000;
const BEAT_MS = 5;

export async function bad({ perSecond, ms, sliceMs }: BadOptions): Promise<Report> {
  const place = openPlace();
  try {
    const server = await place.start({ jobs: 'flood.ts' });
    const wrong = new Map<string, number>();
    let sent = 0;
    const sendSlice = async (forMs: number): Promise<Stretch> => {
      const from = Date.now();
      sent += await sendBad(server, { perSecond, ms: forMs, from: sent }, (fault) =>
        wrong.set(fault, (wrong.get(fault) ?? 0) + 1),
      );
      return { from, to: Date.now() };
    };
    await sendSlice(sliceMs * WARM_UP_SLICES);
    await pause(1000);
    const before = await server.holds();
    const descriptors = server.descriptors();
    const [calm, disturbed]: [Stretch[], Stretch[]] = [[], []];
    for (const end = Date.now() + ms; Date.now() < end;) {
      calm.push({ from: Date.now(), to: Date.now() + sliceMs });
      await pause(sliceMs);
      disturbed.push(await sendSlice(sliceMs));
    }
    const seconds = disturbed.reduce((sum, { from, to }) => sum + to - from, 0) / 1000;
    const none = async () => server.descriptors() <= descriptors + 2;
    await until('its connections are closed', none, 2 * DEADLINE_MS);
    const after = await server.holds();
    const left = server.descriptors();
    const odd = await server.stop();
    const journal = place.journal();
    const accounted = await account({ db: place.db, journal, waiting: true });
    const late = (stretches: readonly Stretch[]): readonly number[] =>
      stretches.flatMap((one) => latenessIn(journal, one, (job) => job.startsWith('other-')));
    const [calmly, badly] = [late(calm), late(disturbed)];
    const p99 = (values: readonly number[]): number => Math.max(LEAST_MS, quantile(values, 0.99));
    return {
      title: `${perSecond} bad requests a second, for ${(ms / 60_000).toFixed(1)} min in turns`,
      rows: [
        ['sent, of so many kinds', `${sent}, ${BAD_REQUESTS.length}`],
        ['sent a second', (sent - (perSecond * sliceMs * WARM_UP_SLICES) / 1000) / seconds],
        ['starts, left in peace', spread(calmly)],
        ['starts, meanwhile', spread(badly)],
        ...memoryRows(before, after),
        ['descriptors', `${descriptors} to ${left}`],
        ...accounted.rows,
      ],
      bars: [
        under('p99 of starts, times', p99(badly) / p99(calmly), MOST_TIMES, 'times'),
        ...grownBars(before, after, { heap: GROWTH_MB, rss: GROWTH_MB }),
      ],
      wrong: [
        ...[...wrong].map(([fault, times]) => `${fault}, ${times} times`),
        ...accounted.wrong,
        ...place.errors(),
        ...odd,
      ],
    };
  } finally {
    await place.close();
  }
}

interface Slice {
  readonly perSecond: number;
  readonly ms: number;
  /** The number of its first. */
  readonly from: number;
}

/** Sends them in turns, each on a connection of its own; gives how many it sent. */
async function sendBad(
  { url }: Server,
  { perSecond, ms, from }: Slice,
  say: (fault: string) => void,
): Promise<number> {
  const port = Number(new URL(url).port);
  const startedAt = performance.now();
  const open: Promise<void>[] = [];
  let sent = 0;
  for (let spent = 0; spent < ms; spent = performance.now() - startedAt) {
    for (; sent < (spent / 1000) * perSecond; sent++) {
      const one = BAD_REQUESTS[(from + sent) % BAD_REQUESTS.length];
      if (one !== undefined) open.push(sendOne(port, one, say));
    }
    await pause(BEAT_MS);
  }
  await Promise.all(open);
  return sent;
}

async function sendOne(
  port: number,
  { what, bytes, status }: BadRequest,
  say: (fault: string) => void,
): Promise<void> {
  const answer = await new Promise<string>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    socket.setTimeout(DEADLINE_MS, () => socket.destroy());
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      // What comes after the first line is for others to read.
      if (text.includes('\r\n')) socket.destroy();
    });
    socket.on('error', (error) => (text ||= error.message));
    socket.on('close', () => resolve(text));
    socket.write(bytes, 'latin1');
  });
  const got = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? `no answer (${answer.slice(0, 60)})`;
  if (got !== String(status)) say(`${what} was answered ${got}, not ${status}`);
}
