import { currentCulprit } from '../core/culprit.ts';
import type { Log } from '../core/deps.ts';
import { describeError } from '../core/outcome.ts';

/** Thrown into a handler that tried to end the process. */
class ExitRefused extends Error {
  override readonly name = 'ExitRefused';
}

/**
 * Keeps one handler's mistake from ending the process for all: a stray rejection, an exception in a
 * callback, a call of `process.exit`. Each fails the run whose handler it came from. What comes
 * from nobody's handler is ours, and `onFatal` decides. Gives a function that takes the guard away.
 */
export function guardProcess(log: Log, onFatal: (error: unknown) => void): () => void {
  const stray = (how: string) => (error: unknown) => {
    const culprit = currentCulprit();
    if (culprit !== undefined) return culprit.fail(error, how);
    const { message, stack } = describeError(error);
    log('error', 'uncaught', { how, error: message, stack });
    onFatal(error);
  };
  const onRejection = stray('a promise was rejected and nobody awaited it');
  const onException = stray('an exception was thrown in a callback');
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtException', onException);
  process.stdout.on('error', unwritten);
  process.stderr.on('error', unwritten);

  const exit = process.exit.bind(process);
  const refuse = (code?: string | number | null): never => {
    const culprit = currentCulprit();
    if (culprit === undefined) return exit(code);
    const error = new ExitRefused(`the handler called process.exit(${code ?? ''})`);
    culprit.fail(error, 'not allowed here');
    throw error;
  };
  process.exit = refuse;
  return () => {
    process.exit = exit;
    process.off('unhandledRejection', onRejection);
    process.off('uncaughtException', onException);
    process.stdout.off('error', unwritten);
    process.stderr.off('error', unwritten);
  };
}

/** What a disk says that is full, or fails. It may be well again with the next line. */
const NO_ROOM: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS']);

/** A log that goes to a file of a full disk is lost; what it tells of must go on. */
function unwritten(error: Error): void {
  if (!NO_ROOM.has(Reflect.get(error, 'code'))) throw error;
}
