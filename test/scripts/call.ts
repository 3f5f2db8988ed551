import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

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

/** The same, while this process goes on, such as to answer it. */
export async function callBeside(
  script: string,
  words: readonly string[],
  env: Record<string, string> = {},
) {
  const child = spawn(process.execPath, [join(SCRIPTS, script), ...words], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return { status, out, err };
}
