import { fork, type ChildProcess } from 'node:child_process';
import type { Isolate, Report } from '../../core/isolate.ts';
import type { RunError } from '../../core/records.ts';
import { describeError } from '../../core/outcome.ts';

const HOST = new URL('host.js', import.meta.url);
/** What opens a port in the process it is given to: two can't have the same. */
const DEBUGGING = /^--(?:inspect|debug)/;

/**
 * Isolates handlers, each in a worker thread of a process that it has to itself: a thread alone
 * would take this process with it when it wants more memory at once than it may have (V8 then ends
 * the process), and could not be ended while it is in a system call. `jobs` is the module that
 * lists them.
 */
export const isolateIn =
  (jobs: string): Isolate =>
  (what, heard) => {
    const execArgv = process.execArgv.filter((flag) => !DEBUGGING.test(flag));
    // A group of its own: what the handler runs ends with it, and a Ctrl-C leaves it to us.
    const host = fork(HOST, {
      execArgv,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    let how: RunError | undefined;
    let gone = false;
    const end = (error: RunError): void => {
      if (gone) return;
      gone = true;
      heard.gone(how ?? error);
    };
    host.on('message', (message: Report | Broken) => {
      if (message.kind === 'broken') how ??= message.error;
      else heard.report(message);
    });
    host.once('error', (error) => {
      // That it did not start is said by this alone; anything else by its end.
      if (host.pid === undefined) end(describeError(error));
    });
    host.once('exit', (code, signal) => end(endOf(code, signal, what.memoryMb)));
    post(host, { kind: 'start', jobs, ...what });
    return {
      send: (order) => post(host, order),
      kill: () => killGroup(host),
    };
  };

/** What the host says of the worker's end where the worker can't. */
interface Broken {
  readonly kind: 'broken';
  readonly error: RunError;
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** To one that has just ended nothing can be said: its end is told by itself. */
function post(host: ChildProcess, message: object): void {
  if (host.connected) host.send(message, () => undefined);
}

function endOf(code: number | null, signal: string | null, memoryMb: number): RunError {
  const limit = `it may take ${memoryMb} MiB: isolate.memoryMb`;
  if (signal === 'SIGABRT' || code === 134) {
    return outOfMemory(`its worker wanted more memory than it may have, and crashed (${limit})`);
  }
  const how = signal === null ? `with status ${code}` : `by ${signal}`;
  const hint = signal === 'SIGKILL' ? ', perhaps by the system for want of memory' : '';
  const message = `its worker's process was ended ${how}${hint}`;
  return { name: 'WorkerCrashed', message, stack: null };
}

const outOfMemory = (message: string): RunError => ({ name: 'OutOfMemory', message, stack: null });
