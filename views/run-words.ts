import type { Lease, Reason, Run } from '../server/core/records.ts';
import type { Instant } from '../server/core/time.ts';
import { html, type Html, type Printable } from './html.ts';
import { isOverdue, leaseOf, retryOf, type RunView } from './run-view.ts';
import { stateWord, toneOf } from './state.ts';
import { count, countdown, since, time, times, utc } from './time.ts';
import { jobUrl } from './urls.ts';
import { notRunWords, runLink, runName } from './why.ts';

/*
 * What a run's state means, whether it matters, and what to do: a few plain sentences for somebody
 * who was just woken by it.
 */

export function whatItMeans(view: RunView): readonly Printable[] {
  const { run } = view;
  switch (run.state) {
    case 'queued':
      return queued(view);
    case 'running':
      return running(view);
    case 'retry_wait':
      return retryWait(view);
    case 'succeeded':
      return [run.attempts.length > 1 && `It took ${run.attempts.length} attempts.`];
    case 'failed':
      return [tried(run), ...afterwards(view)];
    case 'timed_out':
      return [
        html`It took longer than its timeout allows, so it was stopped. The log shows where the time
          went; if the job needs more, give it a longer <code>timeout</code>.`,
        ...afterwards(view),
      ];
    case 'lost':
      return [
        'It may have done a part of its work: look before you run it again.',
        ...afterwards(view),
      ];
    case 'cancelled':
      return [cancelled(view)];
    case 'skipped':
    case 'missed':
      return run.reason === null ? [] : [...notRun(run, run.reason), ...afterwards(view)];
  }
}

const tried = ({ attempts: { length } }: Run): string =>
  `It was tried ${times(length)}, and is not tried again by itself.`;

/** It has no slot yet: who has, and who comes first. */
function queued({ run, record }: RunView): readonly Printable[] {
  if (record === null) return ['It waits for its turn.'];
  const all = [...Object.values(record.active), ...record.retries];
  const [holder, ...others] = all.filter(({ beside }) => !beside);
  const before = record.queue.findIndex(({ runId }) => runId === run.id);
  if (holder === undefined) return ['It starts as soon as a process has room for it.'];
  return [
    html`It waits for its turn: ${runLink(holder.runId, nameOf(holder.runId))} has not
      ended${others.length > 0 && `, nor have ${count(others.length, 'other')}`}.`,
    before > 0 && `${count(before, 'run')} waited longer, and will start first.`,
  ];
}

/** At the start of a sentence: `The run of …`. */
function theRun(id: string): Html {
  const name = nameOf(id);
  return runLink(id, `${name.charAt(0).toUpperCase()}${name.slice(1)}`);
}

/** Of one by hand its id tells nothing to read. */
export const nameOf = (id: string): string => runName(id) ?? 'another run';

function running(view: RunView): readonly Printable[] {
  const { now } = view;
  const lease = leaseOf(view);
  if (lease === null) return [];
  const asked = askedToStop(lease, view);
  if (isOverdue(view)) {
    return [
      asked ?? 'Its time is up, so it was told to stop.',
      html`Its handler has not stopped, and its slot stays held until it does, or until its process
        is gone. <b>Free the slot</b> lets the next run start now; that one may then overlap
        whatever this handler still does.`,
    ];
  }
  if (asked !== null) return [asked, 'It ends when its handler does.'];
  // Three beats should have come in this time.
  if (now - lease.renewedAt <= lease.leaseMs) return [];
  const lostAt = lease.renewedAt + lease.leaseMs + lease.graceMs;
  return [
    html`Its process has given no sign of life for ${since(lease.renewedAt, now)}. Unless it does,
      this attempt is lost ${countdown(lostAt, now)}.`,
  ];
}

function askedToStop({ cancel }: Lease, { now, run }: RunView): Html | null {
  if (cancel === null) return null;
  const told = html`It was told to stop ${time(cancel.at, now)}`;
  if (cancel.why === 'cancelled') return html`${told}${cancel.by !== null && ` by ${cancel.by}`}.`;
  const by = run.cause === null ? 'a newer run' : runLink(run.cause, nameOf(run.cause));
  return html`${told}, since ${by} replaces it.`;
}

function retryWait(view: RunView): readonly Printable[] {
  const { run, record, now } = view;
  const retry = retryOf(view);
  if (retry === null || record === null) return ['It is tried again.'];
  const last = run.attempts.at(-1);
  const most = record.spec.retry.attempts + retry.interruptions;
  const interrupted = last?.outcome === 'interrupted';
  return [
    interrupted && `Attempt ${last?.n} was interrupted, since its process was shut down.`,
    html`Attempt ${retry.attempt}${most > 1 && ` of at most ${most}`} starts
      ${countdown(retry.notBefore, now)}.`,
  ];
}

function cancelled({ run, repeats }: RunView): Printable {
  const { error, cause, startedAt } = run;
  if (error?.name === 'SlotFreed') {
    return 'Its handler may still be at work, beside whatever started since.';
  }
  if (cause !== null && !repeats) return html`${theRun(cause)} replaced it.`;
  if (error !== null) return null;
  return startedAt === null ? 'It was cancelled before it started.' : 'It was stopped on request.';
}

/** Why occurrences did not run, and whether that is for good. */
function notRun(run: Run, reason: Reason): readonly Printable[] {
  const why = html`${notRunWords(run, reason)}.`;
  const backfill = html`Nothing makes up for that by itself. If it matters,
    <a href="${backfillUrl(run)}">start a backfill</a>.`;
  switch (reason) {
    case 'superseded':
      return [why, 'Nothing is left to do.'];
    case 'overlap':
      return [
        why,
        'If that happens often, its runs take longer than its schedule leaves them.',
        backfill,
      ];
    case 'paused':
    case 'late':
    case 'outage':
    case 'too-many':
      return [why, backfill];
  }
}

/** Chosen already: the whole minutes around what did not run. */
function backfillUrl({ job, at, range }: Run): string {
  const minute = (instant: Instant): string => utc(instant).slice(0, 16).replace(' ', 'T');
  const query = new URLSearchParams({
    from: minute(range?.from ?? at),
    to: minute((range?.to ?? at) + 59_999),
  });
  return jobUrl(job, `/backfill?${query.toString()}`);
}

/** What became of the job since: a failure that a later run made good may need nobody. */
function afterwards({ run, record, now, nextAt }: RunView): readonly Printable[] {
  if (record === null || toneOf(run.state) !== 'bad') return [];
  const { last, streak } = record;
  const next = nextAt !== null && html`Its next run comes ${time(nextAt, now)}.`;
  const newest = last !== null && last.runId !== run.id && last.at > (run.endedAt ?? run.at);
  if (!newest) return [streak < -1 && last?.runId === run.id && inARow(streak), next];
  const link = runLink(last.runId, 'newest run');
  if (streak > 0) {
    return [html`<b>The job has recovered:</b> its ${link} succeeded ${time(last.at, now)}.`];
  }
  return [
    html`Its ${link} ${stateWord(last.state)} too, ${time(last.at, now)}.`,
    streak < -1 && inARow(streak),
    next,
  ];
}

const inARow = (streak: number): Html => html`<b>The job has failed ${-streak} times in a row.</b>`;
