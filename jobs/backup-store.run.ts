import { execFile } from 'node:child_process';
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { InferOutput } from 'valibot';
import type { JobContext } from '../server/core/job.ts';
import { compactInstant } from '../server/core/time.ts';
import { SqliteStore } from '../server/stores/sqlite.ts';
import { withStore } from './store.ts';
import type { backupStoreInput } from './backup-store.ts';

const NAME = /^punctual-\d{8}T\d{6}(?:\.\d{3})?Z\.db$/;

export default async function backUp(
  context: JobContext<InferOutput<typeof backupStoreInput>>,
): Promise<{ readonly file: string; readonly bytes: number; readonly runs: number } | null> {
  const { input, log, scheduledAt, signal } = context;
  return await withStore(log, async ({ store, config }) => {
    if (!(store instanceof SqliteStore)) {
      log.warn('nothing was copied: Firestore is backed up by a backup schedule of its own');
      return null;
    }
    if (config.db === ':memory:') throw new Error('a database in memory can not be backed up');
    const folder = resolve(input.folder ?? join(dirname(config.db), 'backups'));
    const file = join(folder, `punctual-${compactInstant(scheduledAt)}.db`);
    await store.backup(file);
    const runs = await countRuns(file, signal);
    const { size: bytes } = await stat(file);
    log(`copied to ${file}: ${runs} runs, ${bytes} bytes, opened and found whole`);
    for (const old of await tooMany(folder, input.keep)) {
      await rm(join(folder, old));
      log(`deleted ${old}`);
    }
    return { file, bytes, runs };
  });
}

const CHECK = new URL('../scripts/check-backup.ts', import.meta.url).pathname;

/**
 * Reads the copy from end to end in a process of its own: here it would hold up everything else.
 */
async function countRuns(file: string, signal: AbortSignal): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [CHECK, file], { signal });
  return Number(stdout);
}

/** The oldest copies beyond the number to keep; their names sort by time. */
async function tooMany(folder: string, keep: number): Promise<string[]> {
  const copies = (await readdir(folder)).filter((name) => NAME.test(name)).toSorted();
  return copies.slice(0, Math.max(0, copies.length - keep));
}
