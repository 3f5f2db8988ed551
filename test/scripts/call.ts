import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const SCRIPTS = new URL('../../scripts/', import.meta.url).pathname;

/** Calls a script as a process of its own, and waits for its end. */
export function call(script: string, words: readonly string[], env: Record<string, string> = {}) {
  const path = join(SCRIPTS, script);
  const ended = spawnSync(process.execPath, [path, ...words], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
  return { status: ended.status, out: ended.stdout, err: ended.stderr };
}
