import { once } from 'node:events';
import type { Response } from 'express';
import { visible } from '../../../views/html.ts';
import type { LogChunk, LogLine } from '../../core/records.ts';
import type { Store } from '../../core/store.ts';
import { isoInstant } from '../../core/time.ts';
import { attemptOf, entriesOf, readChunks } from '../log-view.ts';

/** A run's log as a file: all that is kept of it, one line an event. */

export type LogFormat = 'txt' | 'ndjson';

const TYPES = { txt: 'text/plain; charset=utf-8', ndjson: 'application/x-ndjson' } as const;

/**
 * Sends the log page by page as it is read, so that none of it has to be held. What fails on the
 * way ends the connection: whoever saves it learns that it is not whole.
 */
export async function sendLogFile(
  store: Pick<Store, 'readLog'>,
  res: Response,
  { runId, format }: { readonly runId: string; readonly format: LogFormat },
): Promise<void> {
  asFile(res, TYPES[format], fileName(runId, `log.${format}`));
  let before: LogChunk | undefined;
  for await (const chunks of readChunks(store, runId)) {
    let text = '';
    for (const chunk of chunks) {
      text += fileLines(chunk, before, format);
      before = chunk;
    }
    if (res.destroyed) return;
    // One that is gone never drains.
    if (!res.write(text)) await Promise.race([once(res, 'drain'), once(res, 'close')]);
  }
  res.end();
}

/** To be saved, never shown: what is in it came from anywhere. */
export function asFile(res: Response, type: string, name: string): void {
  res.set({
    'Content-Type': type,
    'Content-Disposition': `attachment; filename="${name}"`,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  });
}

/** A run's id has letters, digits, and a few signs that not every system takes in a name. */
export const fileName = (runId: string, end: string): string =>
  `${runId.replaceAll(/[^A-Za-z0-9.-]/g, '-')}.${end}`;

function fileLines(chunk: LogChunk, before: LogChunk | undefined, format: LogFormat): string {
  const attempt = attemptOf(chunk);
  const first = before === undefined ? attempt > 1 : attemptOf(before) !== attempt;
  const entries = entriesOf(chunk, before).map((entry) => {
    if (format === 'txt') {
      return entry.kind === 'line' ? textLine(entry.line) : `(${entry.count} lines left out)\n`;
    }
    const event = entry.kind === 'line' ? jsonLine(entry.line) : { dropped: entry.count };
    return `${JSON.stringify({ attempt, ...event })}\n`;
  });
  if (format === 'txt' && first) entries.unshift(`(attempt ${attempt})\n`);
  return entries.join('');
}

/** Line ends are spelt out, and so is all else that a terminal would obey. */
function textLine({ at, level, text, fields }: LogLine): string {
  const more = fields === null ? '' : ` ${oneLine(fields)}`;
  return `${isoInstant(at)} ${level.padEnd(5)} ${oneLine(text)}${more}\n`;
}

const oneLine = (text: string): string => visible(text).replaceAll('\n', '\\n');

function jsonLine({ at, level, text, fields }: LogLine): Record<string, unknown> {
  return { at: isoInstant(at), level, text, ...(fields !== null && { fields: parsed(fields) }) };
}

/** What was cut short is no JSON any more. */
function parsed(fields: string): unknown {
  try {
    return JSON.parse(fields);
  } catch {
    return fields;
  }
}
