import type { Cost } from '../server/core/cost.ts';
import { isFinal } from '../server/core/run.ts';
import type { Instant } from '../server/core/time.ts';
import { fitted } from './fit.ts';
import { html, type Html } from './html.ts';
import { factRows, type Fact } from './layout.ts';
import { leaseOf, type RunView } from './run-view.ts';
import { latenessOf, runDuration } from './runs.ts';
import { count, countdown, fullTime } from './time.ts';
import { nameOf } from './run-words.ts';
import { runLink } from './why.ts';

/** What is known of a run beside what happened: what is not known is left out. */
export function facts(view: RunView): Html {
  const all = factRows([...times(view), ...origins(view)]);
  return html`<aside id="facts" aria-label="Facts"><dl class="facts">${all}</dl></aside>`;
}

/** In the order of asking: when, how late, how long. */
function times(view: RunView): readonly Fact[] {
  const { run, now, record } = view;
  const lease = leaseOf(view);
  const timed = lease?.cancel === null && record !== null;
  const timeoutAt = timed ? lease.startedAt + record.spec.timeoutMs : null;
  return [
    ['Scheduled', run.range === null && moment(run.scheduledAt, now)],
    ['Asked for', run.trigger === 'manual' && moment(run.createdAt, now)],
    ['Started', moment(run.startedAt, now)],
    ['Lateness', latenessOf(run)],
    ['Ended', moment(run.endedAt, now)],
    ['Duration', runDuration(run, now)],
    ...(timeoutAt === null ? [] : [timeout(timeoutAt, now)]),
  ];
}

/** A handler that does not stop goes on after its time. */
const timeout = (at: Instant, now: Instant): Fact =>
  at > now ? ['Times out', countdown(at, now)] : ['Timed out', fullTime(at, now)];

/** By whom, from what, and where to look further. */
function origins(view: RunView): readonly Fact[] {
  const { run, repeats } = view;
  const { cause, backfillOf } = run;
  const causeLink = cause !== null && runLink(cause, nameOf(cause));
  return [
    ['Trigger', run.trigger],
    ['Requested by', run.requestedBy !== null && short(run.requestedBy)],
    ['Repeats', repeats && causeLink],
    [isFinal(run.state) && run.range === null ? 'Replaced by' : 'Cause', !repeats && causeLink],
    ['Backfill', backfillOf !== null && mono(backfillOf)],
    ['Trace', trace(view)],
    ['Run id', mono(run.id)],
    ['Build', run.build !== '' && mono(run.build)],
    ['Billed', run.cost && costWords(run.cost)],
  ];
}

const SHOWN = 300;
const short = (text: string): string => fitted(text, SHOWN);
const mono = (text: string): Html => html`<code>${short(text)}</code>`;

/** The second part of a W3C traceparent, linked to where Google Cloud has it. */
function trace({ run, project }: RunView): Html | null {
  const id = run.traceparent?.split('-')[1];
  if (id === undefined) return null;
  if (project === null || !/^[0-9a-f]{32}$/.test(id)) return mono(id);
  const query = new URLSearchParams({ project, tid: id });
  const url = `https://console.cloud.google.com/traces/list?${query.toString()}`;
  return html`<a href="${url}">Open in Cloud Trace</a> <small>${mono(id)}</small>`;
}

const costWords = ({ reads, writes, deletes }: Cost): string =>
  [
    count(reads, 'read'),
    count(writes, 'write'),
    ...(deletes > 0 ? [count(deletes, 'delete')] : []),
  ].join(', ');

const moment = (at: Instant | null, now: Instant): Html | null =>
  at === null ? null : fullTime(at, now);
