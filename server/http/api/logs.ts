import { once } from 'node:events';
import type { Response } from 'express';
import * as v from 'valibot';
import type { Run } from '../../core/records.ts';
import { isoInstant } from '../../core/time.ts';
import { findRun } from '../find.ts';
import { BEGINNING, placeBehind, type Place } from '../log-place.ts';
import { logText } from '../log-text.ts';
import { entriesBehind, readChunks } from '../log-view.ts';
import { asFile, fileName } from '../pages/log-file.ts';
import { progressOf, readNewest } from '../pages/log-part.ts';
import { endpoint, reply, type Asking } from './endpoint.ts';
import { cursor, oneOf, runId, wholeNumber } from './fields.ts';
import { cursorOf, placeOf } from './log-cursor.ts';
import { follow, readLogPage, type Following, type LogPage } from './log-follow.ts';
import { progressShape } from './run-shape.ts';
import { at, count, says, textOrNull } from './shapes.ts';
import { inLine } from './waiting.ts';

const PRESET = 1000;
const MAX = 10_000;
const FOLLOW_MAX_S = 60;

const attempt = says(count, 'The attempt that it is of, from 1.');

export const logLineShape = v.strictObject({
  attempt,
  at,
  level: v.picklist(['debug', 'info', 'warn', 'error']),
  text: v.string(),
  fields: says(textOrNull, 'JSON text of what was given besides, which may be cut.'),
});

export const logGapShape = v.strictObject({
  attempt,
  dropped: says(count, 'How many lines were here, and are not kept.'),
});

const showLog = endpoint({
  method: 'GET',
  path: '/runs/{id}/log',
  id: 'getLog',
  group: 'Runs',
  scope: 'run',
  summary: 'The log of a run, as lines or as text',
  description:
    'From its beginning, or from a cursor on. With `follow` JSON comes as soon as there is a ' +
    'line that the cursor has not seen, or the run is over; text is sent as it comes until then. ' +
    'Either ends after that time. Text has each event on one line, and nothing in it that a ' +
    'terminal would obey. To follow in JSON, ask with each `next` until `ended`.',
  params: { id: runId },
  query: {
    format: v.exactOptional(oneOf('Instead of what `Accept` says.', ['json', 'text'])),
    cursor: v.exactOptional(cursor),
    limit: v.exactOptional(
      wholeNumber(`How many lines at most; of JSON ${PRESET} if not given.`, { min: 1, max: MAX }),
    ),
    follow: v.exactOptional(
      wholeNumber('How many seconds to wait for more.', { min: 0, max: FOLLOW_MAX_S }),
    ),
  },
  answers: {
    200: {
      description: 'Lines of the log, oldest first.',
      schema: v.strictObject({
        lines: v.array(v.union([logLineShape, logGapShape])),
        progress: says(v.nullable(progressShape), 'How far the run last said that it is.'),
        next: says(v.string(), 'The cursor behind these lines.'),
        ended: says(v.boolean(), 'Whether the run is over, and no line comes behind these.'),
      }),
      otherwise: 'text/plain',
    },
  },
  problems: ['No such run'],
  async handle({ params, query }, asking) {
    const { deps, req, gone } = asking;
    const run = await findRun(deps, params.id);
    const from = query.cursor === undefined ? BEGINNING : placeOf(run.id, query.cursor);
    const withinMs = req.method === 'HEAD' ? 0 : (query.follow ?? 0) * 1000;
    const followed = { withinMs, gone };
    if (isText(asking, query.format)) {
      const asked = { from, most: query.limit ?? Infinity };
      return {
        send: async (res) =>
          await waiting(asking, followed, () => sendText(asking, run, asked, res, followed)),
      };
    }
    const asked = { from, most: query.limit ?? PRESET };
    return reply(
      200,
      await waiting(asking, followed, () => pageJson(asking, run, asked, followed)),
    );
  },
});

const isText = ({ req }: Asking, format: 'json' | 'text' | undefined): boolean =>
  format === undefined
    ? req.accepts(['application/json', 'text/plain']) === 'text/plain'
    : format === 'text';

const waiting = <Value>(
  { caller }: Pick<Asking, 'caller'>,
  { withinMs }: Following,
  wait: () => Promise<Value>,
): Promise<Value> => (withinMs === 0 ? wait() : inLine(caller, wait));

interface Asked {
  readonly from: Place;
  readonly most: number;
}

async function pageJson({ deps }: Asking, run: Run, asked: Asked, following: Following) {
  const { page, over } = await follow(deps, run, following, async (isOver) => {
    const read = await readLogPage(deps, run.id, asked);
    return { seen: { page: read, over: isOver }, enough: read.entries.length > 0 };
  });
  return {
    lines: page.entries.map(entryJson),
    progress: await progressIn({ deps }, run, page),
    next: cursorOf(run.id, page.next),
    ended: over && page.complete,
  };
}

const entryJson = (entry: LogPage['entries'][number]) =>
  'dropped' in entry
    ? { attempt: entry.attempt, dropped: entry.dropped }
    : {
        attempt: entry.attempt,
        at: isoInstant(entry.line.at),
        level: entry.line.level,
        text: entry.line.text,
        fields: entry.line.fields,
      };

/** What was noted last stands in the last chunk that was written. */
async function progressIn({ deps }: Pick<Asking, 'deps'>, run: Run, { last, complete }: LogPage) {
  const now = (await deps.store.getRun(run.id)) ?? run;
  const newest = complete && last !== undefined ? last : await readNewest(deps.store, run.id);
  const progress = progressOf(now, newest);
  return progress && { done: progress.done, total: progress.total };
}

/** Sends what there is, and what comes while it is followed. */
async function sendText(
  { deps }: Asking,
  run: Run,
  { from, most }: Asked,
  res: Response,
  following: Following,
): Promise<void> {
  asFile(res, 'text/plain; charset=utf-8', fileName(run.id, 'log.txt'));
  res.flushHeaders();
  let [place, left] = [from, most];
  await follow(deps, run, following, async () => {
    for await (const chunks of readChunks(deps.store, run.id, place)) {
      for (const chunk of chunks) {
        const text = logText(chunk, place, { format: 'txt', most: left });
        left -= entriesBehind(chunk, place).filter(({ kind }) => kind === 'line').length;
        place = placeBehind(chunk);
        const full = text !== '' && !res.write(text) && !res.destroyed;
        // One that is gone never drains.
        if (full) await once(res, 'drain', { signal: following.gone }).catch(() => undefined);
        if (left <= 0 || following.gone.aborted) return { seen: undefined, enough: true };
      }
    }
    return { seen: undefined, enough: false };
  });
  res.end();
}

export const logEndpoints = [showLog];
