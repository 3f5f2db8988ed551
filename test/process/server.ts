import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const START = new URL('../../server/start.js', import.meta.url).pathname;

/** A run as lists have it. */
export interface ListedRun {
  readonly id: string;
  readonly job: string;
  readonly state: string;
  readonly reason: string | null;
  readonly scheduledAt: string | null;
  readonly latenessMs: number | null;
  readonly error: { readonly name: string; readonly message: string } | null;
  readonly range: { readonly count: number } | null;
}

/** A run, whole. */
export interface RunJson extends ListedRun {
  readonly output: unknown;
  readonly notes: readonly { readonly text: string }[];
  readonly attempts: readonly { readonly n: number; readonly outcome: string | null }[];
  readonly lateResult: { readonly error: { readonly message: string } | null } | null;
}

/** A real server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** All that it printed so far. */
  output(): string;
  /** Sends a signal and waits for the end; gives the exit status or signal. */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
  json<Type>(path: string, init?: RequestInit): Promise<Type>;
  trigger(job: string, wait: number): Promise<RunJson>;
  runs(job: string): Promise<readonly ListedRun[]>;
  run(id: string): Promise<RunJson>;
}

/** A folder that is gone when the test is over. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Where fixtures find the folder that they may write to. */
export const fixture = (name: string): string =>
  new URL(`./fixtures/${name}`, import.meta.url).pathname;

/** Starts a server and waits until it says where it is. Whatever happens, it ends with the test. */
export async function startServer(
  env: Readonly<Record<string, string>>,
  /** How many files and connections it may have open; as many as this process, if not given. */
  descriptors?: number,
): Promise<ServerProcess> {
  const started = launch(env, descriptors);
  const url = await Promise.race([started.address, started.ended.then(() => undefined)]);
  if (url === undefined) throw new Error(`the server did not start:\n${started.output()}`);
  const json = async <Type>(path: string, init: RequestInit = {}): Promise<Type> => {
    const token = env['PUNCTUAL_TOKEN'];
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
    const answer = await fetch(url + path, { ...init, headers });
    return (await answer.json()) as Type;
  };
  return {
    url,
    child: started.child,
    output: started.output,
    end(signal) {
      started.child.kill(signal);
      return started.ended;
    },
    json,
    trigger: (job, wait) =>
      json(`/api/v1/jobs/${job}/runs`, { method: 'POST', headers: { Prefer: `wait=${wait}` } }),
    runs: async (job) =>
      (await json<{ runs: ListedRun[] }>(`/api/v1/runs?job=${job}&limit=100`)).runs,
    run: (id) => json(`/api/v1/runs/${encodeURIComponent(id)}`),
  };
}

/** A server that is expected not to start: its exit status and all that it printed. */
export async function failToStart(env: Readonly<Record<string, string>>) {
  const started = launch(env);
  const status = await started.ended;
  return { status, output: started.output() };
}

function launch(env: Readonly<Record<string, string>>, descriptors?: number) {
  const limited = ['-c', `ulimit -n ${descriptors} && exec "$0" "$1"`, process.execPath, START];
  const command = descriptors === undefined ? process.execPath : '/bin/sh';
  const child = spawn(command, descriptors === undefined ? [START] : limited, {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      PUNCTUAL_LEASE_MS: '2000',
      // What an earlier test has compiled decides nothing here, and nothing is left behind.
      NODE_DISABLE_COMPILE_CACHE: '1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('exit', (status, signal) => resolve(status ?? signal)),
  );
  const address = new Promise<string>((resolve) => {
    const read = (data: Buffer): void => {
      text += data.toString();
      const found = /Punctual is at (http:\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  return { child, ended, address, output: () => text };
}

/** Waits until something holds, as real processes need real time; at most `withinMs`. */
export async function until<Value>(
  look: () => Promise<Value | undefined | false>,
  withinMs: number,
): Promise<Value> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline)
      throw new Error(`still not so after ${withinMs} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
