import { mkdir, readdir, readFile, rm, lstat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log, Scratch } from '../core/deps.ts';
import { describeError } from '../core/outcome.ts';

/**
 * Folders for attempts, under the system's temporary folder, one for each process: what a killed
 * process left is found by its name and removed at the next start.
 */
export class ScratchRoot {
  readonly #root: string;
  readonly #log: Log;
  #own: Promise<string> | undefined;

  constructor(log: Log, root = join(tmpdir(), `punctual-scratch-${process.getuid?.() ?? 'user'}`)) {
    this.#root = root;
    this.#log = log;
  }

  /** The folder of one attempt; made when first asked for, gone after `remove`. */
  for(attemptId: string): Scratch {
    let made: Promise<string> | undefined;
    const make = async (): Promise<string> => {
      const path = join(await this.#ownFolder(), attemptId);
      await mkdir(path, { recursive: true, mode: 0o700 });
      return path;
    };
    return {
      path: () => (made ??= make()),
      remove: async () => {
        if (made === undefined) return;
        await made.then((path) => this.#remove(path)).catch(() => undefined);
      },
    };
  }

  /** Removes what processes left that are no longer alive. Never throws. */
  async sweep(): Promise<void> {
    const names = await readdir(this.#root).catch(() => []);
    for (const name of names) {
      if (await isGone(name)) await this.#remove(join(this.#root, name));
    }
  }

  /** Removes this process's own folder, at its end. */
  async close(): Promise<void> {
    const own = await this.#own?.catch(() => undefined);
    if (own !== undefined) await this.#remove(own);
  }

  #ownFolder(): Promise<string> {
    return (this.#own ??= this.#makeOwn());
  }

  async #makeOwn(): Promise<string> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    // Somebody else's folder of this name in a shared place could be a trap.
    const { uid } = await lstat(this.#root);
    if (process.getuid !== undefined && uid !== process.getuid()) {
      throw new Error(`scratch folder ${this.#root} belongs to another user (uid ${uid})`);
    }
    return join(this.#root, `${process.pid}-${(await statOf(process.pid)).start}`);
  }

  async #remove(path: string): Promise<void> {
    try {
      await rm(path, { recursive: true, force: true, maxRetries: 2 });
    } catch (error) {
      this.#log('warn', 'scratch_not_removed', { path, error: describeError(error).message });
    }
  }
}

async function isGone(name: string): Promise<boolean> {
  const match = /^(\d+)-(\w+)$/.exec(name);
  if (match === null) return false;
  const pid = Number(match[1]);
  if (!isAlive(pid)) return true;
  const { state, start } = await statOf(pid);
  return state === 'Z' || start !== match[2];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * A process's state, `Z` for one that is dead but not yet taken notice of, and when it started, in
 * the kernel's words, so that a reused process id is told apart (Linux).
 */
async function statOf(pid: number): Promise<{ readonly state: string; readonly start: string }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold spaces; field 3 follows it, and 22 (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: fields[19] ?? 'unknown' };
}
