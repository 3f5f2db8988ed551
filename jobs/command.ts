import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Handler } from '../server/core/job.ts';

/** After it was asked to end, a command is given this long before it is killed. */
const KILL_AFTER_MS = 3000;
const ERROR_LINES = 5;

/**
 * A handler for a line of an old crontab: runs it by `/bin/sh`, keeps what it prints as the run's
 * log, and fails by its exit status. The run's id and fencing token are in its environment as
 * PUNCTUAL_RUN_ID and PUNCTUAL_FENCE; on timeout, cancel and stop the whole process group is ended.
 */
export function command(line: string): Handler {
  return async ({ log, signal, idempotencyKey, fence, traceparent }) => {
    const child = spawn('/bin/sh', ['-c', line], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        PUNCTUAL_RUN_ID: idempotencyKey,
        PUNCTUAL_FENCE: String(fence),
        TRACEPARENT: traceparent,
      },
    });
    const complaints: string[] = [];
    createInterface({ input: child.stdout }).on('line', (text) => log.info(text));
    createInterface({ input: child.stderr }).on('line', (text) => {
      log.warn(text);
      complaints.splice(0, complaints.length - ERROR_LINES + 1);
      complaints.push(text);
    });
    const stop = (): void => endGroup(child);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const end = await ended(child).finally(() => signal.removeEventListener('abort', stop));
    signal.throwIfAborted();
    if (end.status === 0) return { status: 0 };
    const how =
      end.signal === null ? `exited with status ${end.status}` : `was ended by ${end.signal}`;
    throw new Error([`\`${line}\` ${how}`, ...complaints].join('\n'));
  };
}

function ended(
  child: ChildProcess,
): Promise<{ readonly status: number | null; readonly signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal }));
  });
}

/** Asks the command and all it started to end; kills what has not after a while. */
function endGroup(child: ChildProcess): void {
  const send = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // It is gone already, which is what was wanted.
    }
  };
  send('SIGTERM');
  const timer = setTimeout(() => send('SIGKILL'), KILL_AFTER_MS);
  child.once('close', () => clearTimeout(timer));
}
