import { once } from 'node:events';
import type { Response } from 'express';
import type { Store } from '../../core/store.ts';
import { BEGINNING, placeBehind } from '../log-place.ts';
import { logText, type LogFormat } from '../log-text.ts';
import { readChunks } from '../log-view.ts';

/** A run's log as a file: all that is kept of it, one line an event. */

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
  let place = BEGINNING;
  for await (const chunks of readChunks(store, runId, place)) {
    let text = '';
    for (const chunk of chunks) {
      text += logText(chunk, place, { format, most: Infinity });
      place = placeBehind(chunk);
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
  });
}

/** A run's id has letters, digits, and a few signs that not every system takes in a name. */
export const fileName = (runId: string, end: string): string =>
  `${runId.replaceAll(/[^A-Za-z0-9.-]/g, '-')}.${end}`;
