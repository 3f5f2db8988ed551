import { visibleJson } from '../../core/unseen.ts';
import { Router, type Response } from 'express';
import { html } from '../../../views/html.ts';
import { partial } from '../../../views/layout.ts';
import {
  earlier,
  LEVELS,
  logPoller,
  logRows,
  type LogFilter,
  type LogShown,
} from '../../../views/log.ts';
import { runUrl, withQuery } from '../../../views/urls.ts';
import type { Deps } from '../../core/deps.ts';
import type { LogLine, Run } from '../../core/records.ts';
import { isFinal } from '../../core/run.ts';
import { shownRun } from '../../core/secrets/stored.ts';
import { findRun } from '../find.ts';
import { asFile, fileName, sendLogFile } from './log-file.ts';
import { readLogPart, readPlace, type LogRead } from './log-part.ts';
import type { Place } from '../log-place.ts';
import { isHtmx } from './problem-page.ts';
import { badRequest, readQuery } from '../read.ts';
import { sendHtml } from './send-html.ts';
import { refreshSeconds, type Asking } from './show.ts';
import { HttpError } from '../errors.ts';

/** What the page of a run loads beside itself: its log part by part, and files to be saved. */
export function runLogRoutes(deps: Deps): Router {
  const router = Router();

  router.get('/runs/:id/log', (req, res) => sendLogPart(deps, req, res));
  for (const format of ['txt', 'ndjson'] as const) {
    router.get(`/runs/:id/log.${format}`, async (req, res) => {
      const { id: runId } = await findRun(deps, req.params.id);
      await sendLogFile(deps.store, res, { runId, format });
    });
  }
  for (const name of ['input', 'output'] as const) {
    router.get(`/runs/:id/${name}.json`, async (req, res) => {
      const run = await findRun(deps, req.params.id);
      const text = shownRun(run, deps.registry.get(run.job))[name];
      if (text === null) throw new HttpError(404, `No ${name}`, `run "${run.id}" has none`);
      asFile(res, 'application/json', fileName(run.id, `${name}.json`));
      res.send(visibleJson(text));
    });
  }
  return router;
}

/** The filter and the place that a page's address has. */
export interface LogQuery {
  readonly filter: LogFilter;
  readonly before: Place | null;
}

const TEXT_LIMIT = 200;

export function readLogQuery(query: ReadonlyMap<string, string>): LogQuery {
  const [text = '', level = ''] = [query.get('text'), query.get('level')];
  const known = LEVELS.find((one) => one === level);
  const errors = [
    ...(text.length > TEXT_LIMIT
      ? [{ path: '?text', message: `expected at most ${TEXT_LIMIT} characters` }]
      : []),
    ...(level !== '' && known === undefined
      ? [{ path: '?level', message: `expected one of ${LEVELS.join(', ')}` }]
      : []),
  ];
  if (errors.length > 0) throw badRequest(errors);
  return { filter: { text, level: known ?? '' }, before: placeIn(query, 'before') };
}

function placeIn(query: ReadonlyMap<string, string>, name: string): Place | null {
  const text = query.get(name);
  if (text === undefined) return null;
  const place = readPlace(text);
  if (place !== undefined) return place;
  throw badRequest([{ path: `?${name}`, message: 'is no place in a log; begin without it' }]);
}

/** What a page shows of a run's log: its newest lines, or those before a place. */
export async function readLogShown(
  deps: Deps,
  run: Run,
  { filter, before }: LogQuery,
): Promise<LogShown & { readonly part: LogRead }> {
  const since = run.startedAt ?? run.createdAt;
  const asked = { after: null, before, matches: matcher(filter), since };
  const live = !isFinal(run.state);
  return {
    runId: run.id,
    part: run.attempts.length === 0 ? NO_LOG : await readLogPart(deps.store, run.id, asked),
    filter,
    since,
    seconds: live && before === null ? refreshSeconds(deps.store) : null,
    older: before !== null,
    live,
  };
}

/** Of a run that never started. */
const NO_LOG: LogRead = { entries: [], before: null, after: '0.0', newest: undefined };

/** Null where all lines match. */
function matcher({ text, level }: LogFilter): ((line: LogLine) => boolean) | null {
  if (text === '' && level === '') return null;
  const least = level === '' ? 0 : LEVELS.indexOf(level);
  const wanted = text.toLowerCase();
  const has = (said: string | null): boolean => said?.toLowerCase().includes(wanted) === true;
  return (line) =>
    LEVELS.indexOf(line.level) >= least && (wanted === '' || has(line.text) || has(line.fields));
}

/** Answers a page that has a part of the log: with what came since, or with what was before. */
async function sendLogPart(deps: Deps, req: Asking, res: Response): Promise<void> {
  const query = readQuery(req, ['after', 'before', 'text', 'level']);
  const asked = readLogQuery(query);
  const after = placeIn(query, 'after');
  const run = await findRun(deps, req.params['id'] ?? '');
  if (!isHtmx(req)) {
    // Somebody opened it by itself.
    query.delete('after');
    return res.redirect(303, `${withQuery(runUrl(run.id), Object.fromEntries(query))}#log`);
  }
  if (after !== null) return await sendNewLines(deps, { run, after }, res);
  const shown = await readLogShown(deps, run, asked);
  const more = partial('#log-earlier', 'innerMorph', earlier(shown));
  sendHtml(res, html`${logRows(shown.part, shown.since)}${more}`);
}

/**
 * The lines behind a place, and where the next ones will be. The run was read before its log: of
 * one that is over by then, this is all that there is.
 */
async function sendNewLines(
  deps: Deps,
  { run, after }: { readonly run: Run; readonly after: Place },
  res: Response,
): Promise<void> {
  const over = isFinal(run.state);
  const since = run.startedAt ?? run.createdAt;
  const part =
    run.attempts.length === 0
      ? NO_LOG
      : await readLogPart(deps.store, run.id, { after, before: null, matches: null, since });
  if (part.entries.length === 0 && !over) return void res.status(204).end();
  const poller = logPoller(run.id, part.after, over ? null : refreshSeconds(deps.store));
  sendHtml(res, html`${logRows(part, since)}${partial('#log-poll', 'outerMorph', poller)}`);
}
