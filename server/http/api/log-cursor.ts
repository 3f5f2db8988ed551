import { createHash } from 'node:crypto';
import { badRequest } from '../read.ts';
import type { Place } from '../log-place.ts';

/** A place in a run's log as opaque text; one of another run's log is refused. */
export const cursorOf = (runId: string, { n, line }: Place): string =>
  Buffer.from(`${n}.${line}.${seal(runId, n, line)}`).toString('base64url');

/** Throws for what `cursorOf` did not give for the same run. */
export function placeOf(runId: string, cursor: string): Place {
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, n, line, given] = /^(\d{1,12})\.(\d{1,12})\.(\S{12})$/.exec(text) ?? [];
  if (n !== undefined && line !== undefined && given === seal(runId, n, line)) {
    return { n: Number(n), line: Number(line) };
  }
  const message = 'was not given out by this log; start without one';
  throw badRequest([{ path: '?cursor', message }]);
}

/** Against mistakes, not against malice: whoever may read the log may read any part of it. */
const seal = (runId: string, n: number | string, line: number | string): string =>
  createHash('sha256').update(`${runId}\n${n}\n${line}`).digest('base64url').slice(0, 12);
