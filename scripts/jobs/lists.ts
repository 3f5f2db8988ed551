import { duration } from '../../views/time.ts';
import { one, whole } from '../usage.ts';
import {
  items,
  second,
  text,
  type ActionAnswer,
  type BackfillAnswer,
  type Occurrence,
  type RunSummary,
} from './answers.ts';
import { STATUS, type Command } from './command.ts';
import { pages } from './pages.ts';
import { maybeOne, since, states, trigger, until } from './reading.ts';
import { shownId } from './run-id.ts';
import { withApi } from './server.ts';
import { sayJson, sayTable } from './terminal.ts';
import { pathOf } from './words.ts';

/** Lists of history, and of what comes. */

const MOST = 100_000;
const MOST_UPCOMING = 500;

/** Commands that show the newest runs, of one job or of all. */
export const runs: Command = async (words, options) => {
  const query = {
    job: maybeOne(words, 'job'),
    state: states(options.state),
    trigger: trigger(options.trigger),
    since: since(options.since),
    until: until(options.until),
  };
  const most = whole(options.limit, 'limit', 20, MOST);
  return await withApi('store', async (api) => {
    const found = await pages<RunSummary>(api, { path: '/runs', query, list: 'runs', most });
    if (options.json) sayJson({ runs: found.list, next: found.next });
    else sayTable(RUN_HEAD, found.list.map(runRow), ['AT', 'STATE', 'RUN']);
    return STATUS.done;
  });
};

const RUN_HEAD = ['AT', 'STATE', 'TRIGGER', 'TOOK', 'WHAT', 'RUN'];

const runRow = (run: RunSummary): string[] => [
  second(run.scheduledAt ?? run.createdAt),
  text(run.state),
  text(run.trigger),
  took(run),
  said(run),
  shownId(text(run.id)),
];

/** How long a run has taken, from its first start to its end. */
export function took({ startedAt, endedAt }: RunSummary): string {
  const ms = Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '');
  return ms >= 0 ? duration(ms) : '-';
}

function said({ range, reason, error, attemptCount = 0 }: RunSummary): string {
  if (range) return `${range.atLeast ? '≥ ' : ''}${text(range.count)} × ${text(reason)}`;
  if (error) return text(error.message).split('\n', 1).join('');
  return attemptCount > 1 ? `${attemptCount} attempts` : '-';
}

export const actions: Command = async (words, options) => {
  const query = { job: maybeOne(words, 'job') };
  const most = whole(options.limit, 'limit', 20, MOST);
  return await withApi('store', async (api) => {
    const asked = { path: '/actions', query, list: 'actions', most };
    const found = await pages<ActionAnswer>(api, asked);
    if (options.json) sayJson({ actions: found.list, next: found.next });
    else {
      const rows = found.list.map(({ at, by, action, job, runId, detail, before, after }) => {
        const change = before && after ? [`(${text(before)} → ${text(after)})`] : [];
        const what = [...(detail ? [detail] : []), ...change].join(' ');
        return [second(at), text(by), text(action), text(job), text(what), shownId(text(runId))];
      });
      sayTable(['AT', 'BY', 'ACTION', 'JOB', 'WHAT', 'RUN'], rows, ['AT', 'RUN']);
    }
    return STATUS.done;
  });
};

export const upcoming: Command = async (words, options) => {
  const limit = whole(options.limit, 'limit', 20, MOST_UPCOMING);
  const query = { job: maybeOne(words, 'job'), until: options.until, limit };
  return await withApi('store', async (api) => {
    const { body } = await api.ask<{ upcoming: Occurrence[] }>({ path: '/upcoming', query });
    if (options.json) sayJson(body);
    else {
      const rows = items(body.upcoming).map(({ scheduledAt, job, paused }) => [
        second(scheduledAt),
        text(job),
        paused ? 'paused: will be skipped' : '-',
      ]);
      sayTable(['AT', 'JOB', 'PAUSED'], rows, ['AT']);
    }
    return STATUS.done;
  });
};

export const backfills: Command = async (words, options) => {
  const path = pathOf('jobs', one(words, 'the name of a job'), 'backfills');
  return await withApi('store', async (api) => {
    const { body } = await api.ask<{ backfills: BackfillAnswer[] }>({ path });
    if (options.json) sayJson(body);
    else {
      const rows = items(body.backfills).map((one) => [
        text(one.state),
        second(one.from),
        second(one.to),
        opened(one),
        text(one.requestedBy),
        text(one.id),
      ]);
      sayTable(['STATE', 'FROM', 'TO', 'OPENED', 'BY', 'BACKFILL'], rows, [
        'FROM',
        'TO',
        'BACKFILL',
      ]);
    }
    return STATUS.done;
  });
};

/** How far a backfill is: `3 of 24`, or the last occurrence that it opened. */
export function opened({ progress, openedUpTo }: BackfillAnswer): string {
  if (!progress) return openedUpTo ? `up to ${second(openedUpTo)}` : '-';
  const { opened: done, total } = progress;
  return `${text(done?.count ?? 0)} of ${text(total?.count)}${total?.atLeast ? ' or more' : ''}`;
}
