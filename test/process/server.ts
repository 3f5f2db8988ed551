import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFailed, onTestFinished } from 'vitest';
import { launch, type Launched } from './launch.ts';

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
  readonly lateResult: {
    readonly outcome: string;
    readonly output: unknown;
    readonly error: { readonly message: string } | null;
    readonly notes: readonly string[];
  } | null;
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
  const started = launchForTest(env, descriptors);
  const url = await started.url;
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
    output: () => started.output(),
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

/** A run by hand of a job that is refused while it is at work for its own occurrence. */
export const triggerWhenFree = (server: ServerProcess, job: string): Promise<RunJson> =>
  until(async () => {
    const asked = await server.trigger(job, 20);
    return 'id' in asked && asked;
  }, 20_000);

/** A server that is expected not to start: its exit status and all that it printed. */
export async function failToStart(env: Readonly<Record<string, string>>) {
  const started = launchForTest(env);
  const status = await started.ended;
  return { status, output: started.output() };
}

function launchForTest(env: Readonly<Record<string, string>>, descriptors?: number): Launched {
  const started = launch(env, descriptors);
  onTestFinished(() => void started.child.kill('SIGKILL'));
  onTestFailed(() => {
    process.stderr.write(`A server of this test printed:\n${started.output()}\n`);
  });
  return started;
}

/** Waits until something holds, as real processes need real time; at most `withinMs`. */
export async function until<Value>(
  look: () => Promise<Value | undefined | false>,
  withinMs: number,
): Promise<Value> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    // Whoever was held up looks once more: what it waits for may have come meanwhile.
    const isLast = Date.now() > deadline;
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (isLast) throw new Error(`still not so after ${withinMs} ms: ${look.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
