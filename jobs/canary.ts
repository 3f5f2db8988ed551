import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineJob, type JobContext } from '../server/core/job.ts';

/** A start later than this is worth a warning: something holds the machine up. */
const LATE_MS = 5000;

/** Proves the whole path every minute, and measures how late it was. */
export async function sing({ scheduledAt, log, progress, scratch, fence }: JobContext) {
  const latenessMs = Date.now() - scheduledAt;
  const file = join(await scratch(), 'song');
  await writeFile(file, String(fence));
  const read = await readFile(file, 'utf8');
  if (read !== String(fence)) throw new Error(`wrote ${fence} to scratch, but read ${read}`);
  progress(1, 1);
  const level = latenessMs > LATE_MS ? 'warn' : 'info';
  log[level](`started ${latenessMs} ms after its time`);
  return { latenessMs };
}

export const canary = defineJob({
  name: 'canary',
  description: 'Proves the whole path and measures lateness.',
  tags: ['punctual'],
  schedule: '* * * * *',
  timeout: '20s',
  catchUp: { runs: 'none' },
  run: sing,
});
