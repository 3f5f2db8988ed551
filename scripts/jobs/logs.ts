import { one, whole } from '../usage.ts';
import { oneLine } from '../table.ts';
import { items, text, type LogEntry, type Progress } from './answers.ts';
import { pauseFor, type Api } from './api.ts';
import { STATUS, type Command, type Status } from './command.ts';
import { interruptible } from './interrupt.ts';
import { withRun } from './run-id.ts';
import { withApi } from './server.ts';
import { coloured, remark, sayJsonLine } from './terminal.ts';
import { pathOf } from './words.ts';

const PAGE = 1000;
/** Short enough for proxies that close what is silent for half a minute. */
const FOLLOW_S = 25;
/** A server that shuts down answers at once what is followed, until it is gone. */
const LEAST_MS = 500;
const MOST = 1_000_000;

/** A page of a log, as the API gives it. */
interface LogPage {
  readonly lines: LogEntry[];
  readonly progress: Progress | null;
  readonly next: string;
  readonly ended: boolean;
}

export interface Following {
  readonly signal: AbortSignal;
  /** The cursor to begin behind; the beginning, if not given. */
  readonly from?: string | undefined;
  /** How long to wait for more at a time, in seconds; 0 to read no more than there is. */
  readonly everyS: number;
  /** An instant of `performance.now()`. */
  readonly until: number;
}

/**
 * A run's log, page by page: what there is, or what comes until the run is over. The last page says
 * with `ended` whether it is.
 */
export async function* logPages(api: Api, id: string, following: Following) {
  const { signal, everyS, until } = following;
  let cursor = following.from;
  for (;;) {
    const asked = performance.now();
    const follow = Math.max(0, Math.min(everyS, Math.ceil((until - asked) / 1000)));
    const { body } = await api.ask<LogPage>({
      path: `${pathOf('runs', id)}/log`,
      query: { format: 'json', limit: PAGE, cursor, follow },
      waitMs: follow * 1000,
      ...(everyS > 0 && { patientUntil: until }),
      signal,
    });
    const lines = items(body.lines);
    const ended = body.ended === true;
    cursor = body.next ?? cursor;
    yield { lines, progress: body.progress ?? null, ended, next: cursor };
    const now = performance.now();
    if (ended || now >= until || (everyS === 0 && lines.length === 0)) return;
    if (lines.length === 0 && now - asked < LEAST_MS) await pauseFor(LEAST_MS, signal);
  }
}

/** All that there is of a log, the newest of it; where it goes on, and whether it does not. */
export async function newestLines(
  api: Api,
  id: string,
  { most, signal }: { readonly most: number; readonly signal: AbortSignal },
) {
  const lines: LogEntry[] = [];
  let [left, ended] = [0, false];
  let next: string | undefined;
  for await (const page of logPages(api, id, { signal, everyS: 0, until: Infinity })) {
    lines.push(...page.lines);
    left += lines.splice(0, Math.max(0, lines.length - most)).length;
    ({ ended, next } = page);
  }
  return { lines, left, ended, next };
}

export const logs: Command = async (words, { limit, follow = false, json = false }) => {
  const word = one(words, 'a run id');
  const most = whole(limit, 'limit', MOST, MOST);
  const show = json ? sayJsonLine : logPrinter((line) => console.log(line));
  const act = async (api: Api, id: string, signal: AbortSignal): Promise<Status> => {
    let from: string | undefined;
    if (limit !== undefined) {
      // Which of them are the newest shows when all have been read.
      const newest = await newestLines(api, id, { most, signal });
      for (const line of newest.lines) show(line);
      if (!follow || newest.ended) return STATUS.done;
      from = newest.next;
    }
    const everyS = follow ? FOLLOW_S : 0;
    for await (const { lines } of logPages(api, id, { signal, from, everyS, until: Infinity })) {
      for (const line of lines) show(line);
    }
    return STATUS.done;
  };
  return await withApi('store', async (api) =>
    interruptible(
      async (signal) => withRun(api, word, async (id) => act(api, id, signal)),
      () => remark('no longer read; the run goes on'),
    ),
  );
};

/** Shows lines one by one, each on one line, and says where another attempt begins. */
export function logPrinter(print: (line: string) => void): (entry: LogEntry) => void {
  let attempt = 1;
  return (entry) => {
    if (entry.attempt !== undefined && entry.attempt !== attempt) {
      attempt = entry.attempt;
      print(`(attempt ${text(attempt)})`);
    }
    print(lineOf(entry));
  };
}

function lineOf(entry: LogEntry): string {
  if ('dropped' in entry) return `(${text(entry.dropped)} lines left out)`;
  if (!('text' in entry)) return '';
  const { at, level, text: said, fields } = entry;
  const word = coloured(oneLine(text(level)).padEnd(5), text(level));
  const more = fields ? ` ${oneLine(text(fields))}` : '';
  return `${oneLine(text(at))} ${word} ${oneLine(said ?? '')}${more}`;
}
