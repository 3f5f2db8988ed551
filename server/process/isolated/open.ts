import type { ChildProcess } from 'node:child_process';
import type { Isolate, Isolating } from '../../core/isolate.ts';
import type { RunError } from '../../core/records.ts';
import { describeError } from '../../core/outcome.ts';
import { systemClock } from '../clock.ts';
import { readSaid, type Said } from './said.ts';
import { Starts } from './starts.ts';

const HOST = new URL('host.js', import.meta.url);
/** What opens a port in the process it is given to: two can't have the same. */
const DEBUGGING = /^--(?:inspect|debug)/;
/** All that a process said is there by then, after its end. */
const HEARD_WITHIN_MS = 1000;

/**
 * Isolates handlers, each in a worker thread of a process that it has to itself: a thread alone
 * would take this process with it when it wants more memory at once than it may have (V8 then ends
 * the process), and could not be ended while it is in a system call. `jobs` is the module that
 * lists them.
 */
export function isolateIn(jobs: string): Isolate {
  const starts = new Starts(systemClock);
  return (what, heard) => {
    let how: RunError | undefined;
    let host: ChildProcess | undefined;
    let isOver = false;
    const end = (error: RunError): void => {
      if (isOver) return;
      isOver = true;
      leave();
      heard.gone(how ?? error);
    };
    const hear = (said: Said): void => {
      if (said.kind === 'begun') return leave();
      if (said.kind !== 'broken') return heard.report(said);
      how ??= said.error;
      kill();
    };
    const kill = (): void => (host === undefined ? end(NOT_STARTED) : killGroup(host));
    const orders: object[] = [{ kind: 'start', jobs, ...what }];
    const leave = starts.enter(() => {
      try {
        host = openHost(what, { hear, end });
        for (const order of orders) post(host, order);
      } catch (error) {
        end(describeError(error));
      }
    });
    return {
      kill,
      send(order) {
        if (host === undefined) orders.push(order);
        else post(host, order);
      },
    };
  };
}

/** Starts the process. `end` is told when it is gone, and with it all that it started. */
function openHost(
  { memoryMb }: Isolating,
  to: { readonly hear: (said: Said) => void; readonly end: (how: RunError) => void },
): ChildProcess {
  const execArgv = process.execArgv.filter((flag) => !DEBUGGING.test(flag));
  // Loaded by the first that needs it: most services have no isolated job.
  const { fork } = process.getBuiltinModule('node:child_process');
  // A group of its own: what the handler runs ends with it, and a Ctrl-C leaves it to us.
  const host = fork(HOST, {
    execArgv,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  host.on('message', (message) => {
    const said = readSaid(message);
    if (said !== undefined) to.hear(said);
  });
  host.once('error', (error) => {
    // That it did not start is said by this alone; anything else by its end.
    if (host.pid === undefined) to.end(describeError(error));
  });
  host.once('exit', (code, signal) => {
    // What the handler ran may be left: nobody else gets the number, as long as something is.
    killGroup(host);
    const end = (): void => to.end(endOf(code, signal, memoryMb));
    if (!host.connected) return end();
    // Its end may be noticed before what it said last.
    const cancel = systemClock.after(HEARD_WITHIN_MS, end);
    host.once('disconnect', () => {
      cancel();
      end();
    });
  });
  return host;
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself, and left nothing.
  }
}

/** To one that has just ended nothing can be said: its end is told by itself. */
function post(host: ChildProcess, message: object): void {
  if (host.connected) host.send(message, () => undefined);
}

function endOf(code: number | null, signal: string | null, memoryMb: number): RunError {
  const how = signal === null ? `with status ${code}` : `by ${signal}`;
  const hint = signal === null ? '' : (HINTS[signal]?.(memoryMb) ?? '');
  return crashed(`its worker's process was ended ${how}${hint}`);
}

const HINTS: Readonly<Record<string, (memoryMb: number) => string>> = {
  SIGABRT: (memoryMb) =>
    `, most likely for wanting more memory than the ${memoryMb} MiB it may have (isolate.memoryMb)`,
  SIGKILL: () => ', perhaps by the system for want of memory',
};

const crashed = (message: string): RunError => ({ name: 'WorkerCrashed', message, stack: null });

const NOT_STARTED = crashed('its worker was ended before it was started');
