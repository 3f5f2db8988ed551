import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../process/server.ts';
import { launchWithin, reach, type ServerWithin } from './server.ts';

/** A database and its log, as a server left them that was killed in the middle of its work. */
export interface Snapshot {
  readonly db: Buffer;
  readonly wal: Buffer;
}

const JOBS = new URL('./busy-jobs.ts', import.meta.url).pathname;

export const busyEnv = (folder: string): Record<string, string> => ({
  PUNCTUAL_DB: join(folder, 'punctual.db'),
  PUNCTUAL_JOBS: JOBS,
  PUNCTUAL_LEASE_MS: '2000',
  PUNCTUAL_BUILD: 'test',
});

/** Has a real server work on everything at once, kills it, and takes what it leaves. */
export async function takeSnapshot(folder: string): Promise<Snapshot> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const place = join(folder, `snapshot-${tries}`);
    mkdirSync(place);
    const taken = await takeIn(place);
    // Whoever is held up while the server works on gets more than there is time to look at.
    if (framesOf(taken.wal) <= MOST_FRAMES) return taken;
  }
  throw new Error(`each of ${TRIES} logs had more than ${MOST_FRAMES} frames`);
}

async function takeIn(folder: string): Promise<Snapshot> {
  const launched = launchWithin([], busyEnv(folder));
  try {
    await keepBusy(await reach(launched), join(folder, 'punctual.db-wal'));
  } finally {
    launched.child.kill('SIGKILL');
  }
  await launched.ended;
  const path = join(folder, 'punctual.db');
  return { db: readFileSync(path), wal: readFileSync(`${path}-wal`) };
}

/** Enough for some fifty commits; after 256 of them the log is folded into the file. */
const FRAMES = 450;
const MOST_FRAMES = 900;
const TRIES = 5;

async function keepBusy(server: ServerWithin, log: string): Promise<void> {
  const send = async (method: string, path: string, body: unknown): Promise<void> => {
    const answer = await server.ask(`/api/v1/jobs/${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`);
  };
  for (let n = 0; n < 4; n += 1) await server.post('by-hand', `by-hand-${n}`);
  await send('PUT', 'paused/pause', { note: 'for the picture' });
  const [to, from] = [0, 6 * 3_600_000].map((ms) => new Date(Date.now() - ms).toISOString());
  await send('POST', 'filled-in/backfills', { from, to });
  await until(async () => statSync(log).size >= frameAt(FRAMES), 90_000);
}

/** https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
const HEADER = 32;
const FRAME_HEADER = 24;
const PAGE = 4096;
const FRAME = FRAME_HEADER + PAGE;

/** How many frames a log has. */
export const framesOf = (wal: Buffer): number => Math.floor((wal.length - HEADER) / FRAME);

/** Where a frame begins; as many as there are: where the log ends. */
export const frameAt = (n: number): number => HEADER + n * FRAME;

/** The number of the last frame of each commit, from 0: its header says how large the file is. */
export function commitsIn(wal: Buffer): number[] {
  const frames = Array.from({ length: framesOf(wal) }, (_, n) => n);
  return frames.filter((n) => wal.readUInt32BE(frameAt(n) + 4) > 0);
}
