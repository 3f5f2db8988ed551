import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measured } from './probe.ts';

const path = (name: string): string => new URL(name, import.meta.url).pathname;
const START = path('../../server/start.js');

/** A real server in a process of its own, which can be asked what it keeps in memory. */
export interface Server {
  readonly name: string;
  readonly port: number;
  readonly db: string;
  readonly child: ChildProcess;
  /** All lines that it printed since the last time. */
  newLines(): readonly string[];
  measure(): Promise<Measured>;
  hasEnded(): boolean;
  /** Ends it as a platform would; gives its exit status or signal. */
  end(): Promise<number | string | null>;
}

export interface Folder {
  readonly db: string;
  remove(): void;
}

export function makeFolder(): Folder {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-fuzz-'));
  return {
    db: join(folder, 'punctual.db'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What both servers have in common, so that nothing happens in them by itself. */
const CALM = {
  PORT: '0',
  PUNCTUAL_BUILD: 'fuzz',
  PUNCTUAL_LEASE_MS: '3600000',
  PUNCTUAL_TICK_MS: '1800000',
  PUNCTUAL_MAX_RUNNING: '500',
  NODE_DISABLE_COMPILE_CACHE: '1',
};

/** Starts a server, with modules loaded into it before its own, and waits until it listens. */
export async function startServer(
  name: string,
  { db, env, imports = [] }: ServerOptions,
): Promise<Server> {
  const preload = [path('probe.ts'), ...imports].flatMap((one) => ['--import', one]);
  const child = spawn(process.execPath, ['--expose-gc', ...preload, START], {
    env: {
      PATH: process.env['PATH'],
      ...CALM,
      PUNCTUAL_DB: db,
      PUNCTUAL_JOBS: path('jobs.ts'),
      PUNCTUAL_SECRET_KEY: randomBytes(32).toString('hex'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const printed = new Lines();
  child.stdout?.on('data', (data: Buffer) => printed.add(data));
  child.stderr?.on('data', (data: Buffer) => printed.add(data));
  const ended = once(child, 'exit').then(([status, signal]) => status ?? signal);
  const port = await Promise.race([printed.port, ended.then(() => undefined)]);
  if (port === undefined) throw new Error(`the server did not start:\n${printed.all()}`);
  return {
    name,
    port,
    db,
    child,
    newLines: () => printed.take(),
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    async measure() {
      const answered = once(child, 'message').then(([measured]: Measured[]) => measured);
      child.send('measure');
      const measured = await Promise.race([answered, ended.then(() => undefined)]);
      if (measured === undefined) throw new Error('the server did not say what it keeps');
      return measured;
    },
    async end() {
      child.kill('SIGTERM');
      return await ended;
    },
  };
}

export interface ServerOptions {
  readonly db: string;
  readonly env: Readonly<Record<string, string>>;
  /** Paths of modules that it loads first. */
  readonly imports?: readonly string[];
}

/** What a process prints, line by line, however it comes. */
class Lines {
  readonly port: Promise<number>;
  #found: (port: number) => void = () => undefined;
  #rest = '';
  #lines: string[] = [];

  constructor() {
    this.port = new Promise((resolve) => (this.#found = resolve));
  }

  add(data: Buffer): void {
    const lines = (this.#rest + data.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const port = /^Punctual is at http:\S+:(\d+)/.exec(line)?.[1];
      if (port === undefined) this.#lines.push(line);
      else this.#found(Number(port));
    }
  }

  take(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  all(): string {
    return [...this.#lines, this.#rest].join('\n');
  }
}
