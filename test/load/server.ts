import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openJournal, readJournal, type Line } from '../chaos/journal.ts';
import type { Holds } from './holds.ts';

const path = (name: string): string => new URL(name, import.meta.url).pathname;
const START = path('../../server/start.js');
const PROBE = path('probe.ts');
const STARTED_WITHIN_MS = 60_000;
/** Often enough to be counted into times, seldom enough not to make them longer. */
const LOOK_EVERY_MS = 10;

/** A real server in a process of its own, with all that can be seen of it from outside. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  hasEnded(): boolean;
  /** Asks it what it holds; that holds it up for a moment. */
  holds(): Promise<Holds>;
  /** How many files and connections it has open. */
  descriptors(): number;
  /** Sends a signal and waits for the end; gives the exit status or signal. */
  end(signal: NodeJS.Signals): Promise<number | string | null>;
  /** Tells it to stop, and waits for the end; gives what was wrong with that. */
  stop(): Promise<readonly string[]>;
}

export interface Starting {
  /** A module of `jobs/`. */
  readonly jobs: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Paths of modules that it loads first. */
  readonly imports?: readonly string[];
}

/** A folder with a database, the journal of its handlers, and whatever its servers said. */
export interface Place {
  readonly folder: string;
  readonly db: string;
  start(starting: Starting): Promise<Server>;
  journal(): Line[];
  /** Lines of all its servers that tell of an error, but for those of these events. */
  errors(but?: readonly string[]): readonly string[];
  /** Ends what still runs, and removes it all. */
  close(): Promise<void>;
}

export function openPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-load-'));
  const db = join(folder, 'punctual.db');
  const write = openJournal(folder);
  const started: Server[] = [];
  const logOf = (n: number): string => join(folder, `server-${n}.log`);
  return {
    folder,
    db,
    async start(starting) {
      const file = logOf(started.length);
      const server = await launch(starting, { folder, db, file, write });
      started.push(server);
      return server;
    },
    journal: () => readJournal(folder),
    errors: (but = []) => started.flatMap((_, n) => errorsIn(logOf(n), but)),
    async close() {
      for (const server of started) if (!server.hasEnded()) await server.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Files {
  readonly folder: string;
  readonly db: string;
  /** What it prints goes there, so that nobody has to take it from it. */
  readonly file: string;
  readonly write: ReturnType<typeof openJournal>;
}

/** Starts a server with its own settings, and waits until it listens. */
async function launch({ jobs, env, imports = [] }: Starting, files: Files): Promise<Server> {
  const { folder, db, file, write } = files;
  const out = openSync(file, 'w');
  const preload = [PROBE, ...imports].flatMap((one) => ['--import', one]);
  const child = spawn(process.execPath, ['--expose-gc', ...preload, START], {
    env: {
      PATH: process.env['PATH'],
      TMPDIR: folder,
      PORT: '0',
      PUNCTUAL_DB: db,
      PUNCTUAL_JOBS: path(`jobs/${jobs}`),
      // As where it is deployed; and nothing is left behind.
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      LOAD_FOLDER: folder,
      ...env,
    },
    stdio: ['ignore', out, out, 'ipc'],
  });
  closeSync(out);
  const pid = child.pid ?? NaN;
  write('up', pid);
  const ended = once(child, 'exit').then(([status, signal]): number | string | null => {
    write('gone', pid, String(signal ?? status));
    return status ?? signal;
  });
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const url = await addressIn(file, hasEnded);
  if (url === undefined) {
    child.kill('SIGKILL');
    throw new Error(`the server did not start:\n${readFileSync(file, 'utf8')}`);
  }
  const end = async (signal: NodeJS.Signals): Promise<number | string | null> => {
    write('strike', pid, signal);
    child.kill(signal);
    return await ended;
  };
  return {
    url,
    pid,
    hasEnded,
    descriptors: () => readdirSync(`/proc/${pid}/fd`).length,
    async holds() {
      const answered = once(child, 'message').then(([holds]: Holds[]) => holds);
      child.send('what do you hold?');
      const holds = await Promise.race([answered, ended.then(() => undefined)]);
      if (holds === undefined) throw new Error('the server ended while it was looked at');
      return holds;
    },
    end,
    async stop() {
      const status = await end('SIGTERM');
      return status === 0 ? [] : [`the server ended with ${status} when told to stop`];
    },
  };
}

/** Where it listens, once it says so; undefined where it ends before, or does not come to it. */
async function addressIn(file: string, hasEnded: () => boolean): Promise<string | undefined> {
  const giveUpAt = Date.now() + STARTED_WITHIN_MS;
  while (Date.now() < giveUpAt) {
    const found = /^Punctual is at (http:\S+)/m.exec(readFileSync(file, 'utf8'))?.[1];
    if (found !== undefined || hasEnded()) return found;
    await pause(LOOK_EVERY_MS);
  }
  return undefined;
}

/** Lines of level error, and whatever is no line of the log at all. */
function errorsIn(file: string, but: readonly string[]): readonly string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  // A process that is killed may leave half a line.
  const whole = lines.slice(0, -1).filter((line) => !line.startsWith('Punctual is at '));
  return whole.filter((line) => {
    const told = parsed(line);
    if (told === undefined) return true;
    return told['severity'] === 'ERROR' && !but.includes(String(told['message']));
  });
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return Object(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** Waits until something holds, at most `withinMs`; says what it was when it does not come. */
export async function until<Value>(
  what: string,
  look: () => Promise<Value | undefined | false>,
  withinMs: number,
  everyMs = 50,
): Promise<Value> {
  const giveUpAt = Date.now() + withinMs;
  for (;;) {
    // Whoever was held up looks once more: what it waits for may have come meanwhile.
    const isLast = Date.now() > giveUpAt;
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (isLast) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(everyMs);
  }
}
