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
export const callBeside = async (
  script: string,
  words: readonly string[],
  env: Record<string, string> = {},
) => await begin(script, words, env).ended;

/** The same, for whoever wants to send it a signal meanwhile. */
export function begin(script: string, words: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [join(SCRIPTS, script), ...words], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('close', (status, signal) => resolve(status ?? signal)),
  );
  const ended = Promise.all([text(child.stdout), text(child.stderr), closed]).then(
    ([out, err, status]) => ({ status, out, err }),
  );
  return { child, ended };
}
