import { spawn, type ChildProcess } from 'node:child_process';

const START = new URL('../../server/start.js', import.meta.url).pathname;

/** A real server in a process of its own, which may not listen yet. Whoever starts it ends it. */
export interface Launched {
  readonly child: ChildProcess;
  /** Its exit status, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
  /** Where it is; rejects, with all that it printed, when it ends before it says so. */
  readonly url: Promise<string>;
  /** All that it printed so far. */
  output(): string;
}

/** Starts a server in an environment that has nothing else in it but these. */
export function launch(
  env: Readonly<Record<string, string>>,
  /** How many files and connections it may have open; as many as this process, if not given. */
  descriptors?: number,
): Launched {
  const limited = ['-c', `ulimit -n ${descriptors} && exec "$0" "$1"`, process.execPath, START];
  const command = descriptors === undefined ? process.execPath : '/bin/sh';
  const child = spawn(command, descriptors === undefined ? [START] : limited, {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      // A busy machine may hold a server up for seconds; who wants a run lost asks for less.
      PUNCTUAL_LEASE_MS: '30000',
      // What an earlier test has compiled decides nothing here, and nothing is left behind.
      ...(env['NODE_COMPILE_CACHE'] === undefined && { NODE_DISABLE_COMPILE_CACHE: '1' }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('exit', (status, signal) => resolve(status ?? signal)),
  );
  const url = new Promise<string>((resolve, reject) => {
    const read = (data: Buffer): void => {
      text += data.toString();
      const found = /Punctual is at (http:\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then(() => reject(new Error(`the server did not start:\n${text}`)));
  });
  // Not everybody wants to know.
  url.catch(() => undefined);
  return { child, ended, url, output: () => text };
}
