import type { Response } from 'express';
import { html, type Html, type Printable } from '../../../views/html.ts';
import { message } from '../../../views/layout.ts';
import { runLink } from '../../../views/why.ts';
import type { Changed, Requested } from '../../core/run-now.ts';
import type { Run } from '../../core/records.ts';
import { refusal } from '../refusal.ts';
import { HttpError, storeTrouble } from '../errors.ts';
import { isHtmx } from './problem-page.ts';
import { sendHtml } from './send-html.ts';
import type { Asking } from './show.ts';

/** What a click came to: words for the page's message, and parts of the page as they are now. */
export interface Clicked {
  /** Where a browser without scripts goes on. */
  readonly goTo: string;
  readonly said: Printable;
  readonly parts?: readonly Html[];
}

/** Answers a click: in words beside what changed, or by going on to where it can be seen. */
export function answerClick(req: Asking, res: Response, clicked: Clicked): void {
  if (!isHtmx(req)) return res.redirect(303, clicked.goTo);
  sendHtml(res, html`${message('good', clicked.said)}${clicked.parts}`);
}

const noAnswer = (cause: unknown): HttpError => {
  const detail = `${storeTrouble(cause)}. Look at the newest runs before you try again.`;
  return new HttpError(503, 'Store unavailable', detail, { cause });
};

/** The run that was asked for; throws what there is to say where there is none. */
export function startedRun(requested: Requested, job: string): Run {
  switch (requested.kind) {
    case 'created':
    case 'replayed':
      return requested.run;
    case 'bad-input': {
      const problems = requested.problems.map(({ path, message: what }) => `${path}: ${what}`);
      const how = `Start it with one on the page of ${job}.`;
      throw new HttpError(422, 'Needs an input', `${problems.join('; ')}. ${how}`);
    }
    case 'refused':
      throw refusal(requested);
    case 'other-request':
      throw noAnswer(undefined);
    case 'unknown':
    case 'unavailable':
      throw noAnswer(requested.cause);
  }
}

/** Says what became of a request that `startedRun` had no objection to. */
export function startedWords({ kind }: Requested, run: Run): Html {
  const what = run.state === 'queued' ? 'a run waits for its turn.' : 'a run has started.';
  const words = kind === 'replayed' ? 'this form had started its run already.' : what;
  return html`${run.job}: ${words} ${runLink(run.id, 'Look at it')}`;
}

/** Throws what there is to say where nothing was changed. */
export function assertChanged(changed: Changed): void {
  if (changed.kind === 'refused') throw refusal(changed);
  if (changed.kind === 'changed' || changed.kind === 'unchanged') return;
  throw noAnswer(changed.cause);
}

/** Throws while the service ends: what is started now would be handed back at once. */
export function assertOpen({ draining }: { readonly draining: boolean }): void {
  if (!draining) return;
  throw new HttpError(503, 'Shutting down', 'The service is shutting down. Try again in a minute.');
}
