import type { Reason, Run, RunError } from '../server/core/records.ts';
import type { Instant } from '../server/core/time.ts';
import { html, visible, type Html, type Printable } from './html.ts';
import { utc } from './time.ts';
import { runUrl } from './urls.ts';

/** Why a run came to what it came to, in one line of a list. */

/** More of an error stands on its run's page. */
const ERROR_SHOWN = 240;

export const runLink = (id: string, text: Printable): Html =>
  html`<a href="${runUrl(id)}">${text}</a>`;

/** What kept it from running, what went wrong, or what it stands for; null for nothing to tell. */
export function why(run: Run): Html | null {
  const { state, reason, error, attempts, cause, at } = run;
  if (reason !== null) return notRunWords(run, reason);
  if (state === 'cancelled' && cause !== null) return html`see ${causeLink(cause, at)}`;
  if (error !== null) return errorText(error);
  const last = attempts.at(-1);
  if (state === 'retry_wait' && last !== undefined && last.error !== null) {
    return html`attempt ${last.n}: ${errorText(last.error)}`;
  }
  return cause === null ? null : html`repeats ${causeLink(cause, at)}`;
}

/** The reason, and in a few words what it means; linked to what caused it, where that is known. */
export function notRunWords(run: Run, reason: Reason): Html {
  const many = run.range !== null && run.range.count > 1;
  const name = html`<b>${reason.replace('-', ' ')}</b>`;
  const cause = run.cause === null ? null : causeLink(run.cause, run.at);
  switch (reason) {
    case 'overlap':
      return html`${name}: ${cause ?? 'an earlier run'} had not ended`;
    case 'superseded':
      return html`${name}: ${cause ?? 'a later run'} stands for ${many ? 'them' : 'it'}`;
    case 'paused':
      return html`${name}: the job was paused when ${many ? 'they' : 'it'} fell due`;
    case 'late':
      return html`${name}: the service was up, but had no room for ${many ? 'them' : 'it'} in time`;
    case 'outage':
      return html`${name}: nothing was there to start ${many ? 'them' : 'it'} when due`;
    case 'too-many':
      return html`${name}: more had piled up than are looked at one by one`;
  }
}

/** The run that caused something at an instant. */
const causeLink = (id: string, at: Instant): Html => runLink(id, runName(id, at) ?? 'another run');

/**
 * `the run of 2026-11-23 11:50 UTC`, read off its id, without the day where that is the one of
 * `beside`; undefined where the id names no occurrence.
 */
export function runName(id: string, beside?: Instant): string | undefined {
  const [, date, hour, minute, second] = /@(\d{8})T(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(id) ?? [];
  if (date === undefined) return undefined;
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)} `;
  const time = `${hour}:${minute}${second === '00' ? '' : `:${second}`}`;
  const sameDay = beside !== undefined && utc(beside).startsWith(day);
  return `the run of ${sameDay ? '' : day}${time} UTC`;
}

/** An error's name and the first line of what it says. */
function errorText({ name, message }: RunError): Html {
  const kind = firstLine(name, ERROR_SHOWN / 2);
  return html`<b>${kind}</b>: ${firstLine(message, ERROR_SHOWN - kind.length)}`;
}

/** What a page has to write as several characters. */
const LONG_WRITTEN = /[&<>"']/;

/** The first line that says something, cut short where it would take up more of a page's text. */
export function firstLine(text: string, most: number): string {
  const whole = text.trimStart().split('\n', 1)[0]?.trimEnd() ?? '';
  // There is no room for more, and none is needed to see that there is more.
  const line = visible(whole.slice(0, most + 2));
  let room = most;
  let end = 0;
  for (const [part] of line.matchAll(PARTS)) {
    room -= LONG_WRITTEN.test(part) ? 6 : part.length;
    if (room < 0) return `${line.slice(0, end)}…`;
    end += part.length;
  }
  return line;
}

/** What is spelt out is not cut in two. */
const PARTS = /\\u(?:[0-9a-f]{4}|\{[0-9a-f]{5,6}\})|[^]/gu;
