import { spawn, type ChildProcess } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { until, type RunJson } from '../process/server.ts';

const START = new URL('../../server/start.js', import.meta.url).pathname;

/** What a handler told on the output of its process. */
export interface Told {
  readonly word: string;
  readonly run: string;
  readonly attempt: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A server that is started by another program: one that limits what it may do. */
export interface ServerWithin {
  readonly pid: number;
  readonly ended: Promise<number | string | null>;
  output(): string;
  told(): Told[];
  end(signal: NodeJS.Signals): Promise<number | string | null>;
  ask(path: string, init?: RequestInit): Promise<Answer>;
  /** Starts a run by hand. */
  post(job: string, key: string, wait?: number): Promise<Answer>;
  runs(query: string): Promise<readonly RunJson[]>;
  run(id: string): Promise<RunJson>;
}

export interface Launched {
  readonly child: ChildProcess;
  readonly ended: Promise<number | string | null>;
  /** All that it printed so far, but for what went to `out`. */
  output(): string;
}

/** Starts it, with its output in the file `out`, if one is given. Whoever starts it ends it. */
export function launchWithin(
  within: readonly string[],
  env: Readonly<Record<string, string>>,
  out?: number,
): Launched {
  const [command, ...args] = [...within, process.execPath, START];
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], PORT: '0', NODE_DISABLE_COMPILE_CACHE: '1', ...env },
    stdio: ['ignore', out ?? 'pipe', 'pipe'],
  });
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('exit', (status, signal) => resolve(status ?? signal)),
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => (text += data.toString()));
  }
  return { child, ended, output: () => text };
}

/** Where a server is, by what it printed. */
export const urlIn = (output: string): string | undefined =>
  /Punctual is at (http:\S+)/.exec(output)?.[1];

/** Starts it, and resolves when it says where it is, or has ended. It ends with the test. */
export async function startWithin(
  within: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ServerWithin> {
  const launched = launchWithin(within, env);
  onTestFinished(() => void launched.child.kill('SIGKILL'));
  return await reach(launched);
}

/** Resolves when a server says where it is, or has ended. */
export async function reach(launched: Launched): Promise<ServerWithin> {
  const { child, ended } = launched;
  const output = (): string => launched.output();
  let over = false;
  void ended.then(() => (over = true));
  await until(async () => over || urlIn(output()) !== undefined, 60_000);
  const url = urlIn(output()) ?? 'http://nowhere';
  const ask: ServerWithin['ask'] = async (path, init) => {
    const answer = await fetch(url + path, init);
    return { status: answer.status, text: await answer.text() };
  };
  return {
    pid: child.pid ?? NaN,
    ended,
    output,
    told: () => [...output().matchAll(/^told (\S+) (\S+) (\d+) \d+$/gm)].map(toldOf),
    end(signal) {
      child.kill(signal);
      return ended;
    },
    ask,
    post: (job, key, wait = 0) =>
      ask(`/api/v1/jobs/${job}/runs`, {
        method: 'POST',
        headers: { 'Idempotency-Key': key, Prefer: `wait=${wait}` },
      }),
    runs: async (query) =>
      JSON.parse((await ask(`/api/v1/runs?limit=100&${query}`)).text).runs as RunJson[],
    run: async (id) =>
      JSON.parse((await ask(`/api/v1/runs/${encodeURIComponent(id)}`)).text) as RunJson,
  };
}

const toldOf = ([, word = '', run = '', attempt]: RegExpMatchArray): Told => ({
  word,
  run,
  attempt: Number(attempt),
});
