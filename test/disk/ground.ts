import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Disks that can be filled while a server is at work on them. */
export interface Ground {
  /** Where its files are, as a server that was started by `within` sees it. */
  readonly folder: string;
  /** The same, as the test sees it. */
  readonly reached: string;
  /** What a server has to be started by. */
  readonly within: readonly string[];
  /** Leaves no room for a single byte more. */
  fill(pid: number): void;
  free(pid: number): void;
}

/**
 * A folder whose files may not grow, nor be written to, while the limit on their size is zero
 * (`ulimit -f`, changed from outside): each write answers EFBIG. Needs no rights.
 */
export function limitedGround(folder: string): Ground {
  const limit = (pid: number, size: string): void =>
    void execFileSync('prlimit', ['--pid', `${pid}`, `--fsize=${size}:unlimited`]);
  return {
    folder,
    reached: folder,
    within: [],
    fill: (pid) => limit(pid, '0'),
    free: (pid) => limit(pid, 'unlimited'),
  };
}

/** Small enough to be filled at once; and some room for the log of a database. */
const SIZE = '3m';

const isRoot = process.getuid?.() === 0;
/** Whoever is not root may mount in a world of users of his own, where that is allowed. */
const APART = isRoot ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
const ENTER = isRoot ? ['--mount'] : ['--user', '--mount', '--preserve-credentials'];
const MOUNT = `mount -t tmpfs -o size=${SIZE} none "$0"`;

/** Why no small disk can be mounted here; undefined where it can. */
export function whyNoSmallGround(folder: string): string | undefined {
  const tried = spawnSync('unshare', [...APART, 'sh', '-c', MOUNT, folder], { encoding: 'utf8' });
  if (tried.status === 0) return undefined;
  return `no small disk can be mounted here: ${tried.error?.message ?? tried.stderr.trim()}`;
}

/**
 * A file system of 3 MB in memory, that only those see who are started by `within`: it is gone when
 * the test is. Full, it answers ENOSPC as any disk does.
 */
export async function smallGround(folder: string): Promise<Ground> {
  const holding = [...APART, 'sh', '-c', `${MOUNT} && echo there && exec sleep 600`, folder];
  const holder = spawn('unshare', holding, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once('data', () => resolve());
    holder.once('exit', (status) => reject(new Error(`no small disk: status ${status}`)));
  });
  const reached = join(`/proc/${holder.pid}/root`, folder);
  const filler = join(reached, 'filler');
  return {
    folder,
    reached,
    within: ['nsenter', '--target', `${holder.pid}`, ...ENTER],
    fill: () => writeUntilFull(filler),
    free: () => rmSync(filler),
  };
}

function writeUntilFull(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (let size = 64 * 1024; size >= 1; size = Math.floor(size / 2)) {
      while (wrote(file, size));
    }
  } finally {
    closeSync(file);
  }
}

function wrote(file: number, size: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(size)) > 0;
  } catch (error) {
    if (Reflect.get(Object(error), 'code') === 'ENOSPC') return false;
    throw error;
  }
}
