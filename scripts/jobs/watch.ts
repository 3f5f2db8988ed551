import type { Api } from './api.ts';
import { logPages, logPrinter } from './logs.ts';
import { ProgressLine } from './progress.ts';

/** On a terminal progress is asked for that often; elsewhere the end alone counts. */
const LOOK_S = { terminal: 2, otherwise: 25 } as const;

interface Watching {
  readonly signal: AbortSignal;
  /** An instant of `performance.now()`. */
  readonly until: number;
  /** Gets each line of the log; undefined where it is not asked for. */
  readonly print: ((line: string) => void) | undefined;
}

/**
 * Waits until a run is over, or time is up, and shows how far it is. It goes by the log, which
 * tells of new lines, of progress and of the end alike, and only looks: nothing that is asked for
 * again here could start a second run.
 */
export async function watch(
  api: Api,
  id: string,
  { signal, until, print }: Watching,
): Promise<void> {
  const screen = process.stderr;
  const everyS = screen.isTTY ? LOOK_S.terminal : LOOK_S.otherwise;
  const line = new ProgressLine(screen);
  const show = logPrinter(print ?? (() => undefined));
  try {
    for await (const page of logPages(api, id, { signal, until, everyS })) {
      if (print !== undefined && page.lines.length > 0) {
        line.above(() => page.lines.forEach(show));
      }
      line.show(page.progress);
      if (page.ended) return;
    }
  } finally {
    line.end();
  }
}
