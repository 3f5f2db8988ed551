import { Interrupted } from './api.ts';
import { STATUS, type Status } from './command.ts';

/** npm passes on a Ctrl-C that the terminal has sent here too: only a later one is impatience. */
const SAME_MS = 1000;

/** Does something that Ctrl-C ends early; a second one ends the process. */
export async function interruptible(
  act: (signal: AbortSignal) => Promise<Status>,
  onInterrupt: () => void,
): Promise<Status> {
  const interrupt = new AbortController();
  let first: number | undefined;
  process.on('SIGINT', () => {
    first ??= performance.now();
    if (performance.now() - first > SAME_MS) process.exit(STATUS.interrupted);
    interrupt.abort();
  });
  try {
    return await act(interrupt.signal);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    onInterrupt();
    return STATUS.interrupted;
  }
}
