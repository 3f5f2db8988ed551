import { Router, type Response } from 'express';
import { html, type Html, type Printable } from '../../../views/html.ts';
import type { FieldProblems } from '../../../views/input-fields.ts';
import { PAUSE_ENDS, pauseId, pausePanel, runPanel } from '../../../views/job-forms.ts';
import { jobBody, type JobView } from '../../../views/job.ts';
import { message, partial } from '../../../views/layout.ts';
import { jobUrl, runUrl } from '../../../views/urls.ts';
import type { Deps } from '../../core/deps.ts';
import type { InputProblem } from '../../core/input.ts';
import { inputForm } from '../../core/input-form.ts';
import {
  jsonTextOf,
  readJsonText,
  readTexts,
  textsToShow,
  type Texts,
} from '../../core/input-texts.ts';
import type { Job } from '../../core/job.ts';
import { pauseJob, resumeJob, runNow } from '../../core/run-now.ts';
import { marksOf } from '../../core/secrets/marks.ts';
import { withoutSecrets } from '../../core/secrets/stored.ts';
import { parseDuration, type Instant } from '../../core/time.ts';
import { nameOf } from '../caller.ts';
import { findJob } from '../find.ts';
import { answerClick, assertChanged, assertOpen, startedRun, startedWords } from './clicks.ts';
import { formFields, formKey, utcField } from './forms.ts';
import { JOB_QUERY } from './job-filter.ts';
import type { JobPasts } from './job-past.ts';
import { readJob, type JobAsked } from './job-view.ts';
import { isHtmx } from './problem-page.ts';
import { refusal } from '../refusal.ts';
import { sendHtml } from './send-html.ts';
import { showAgain, type Asking } from './show.ts';

/** What is done from a job's page. Each answers with a word on it and the page as it is then. */
export function jobClicks(deps: Deps, pasts: JobPasts): Router {
  const router = Router();
  const page: JobPages = { deps, pasts };

  router.post('/jobs/:name/runs', (req, res) => startRun(page, req, res));
  router.post('/jobs/:name/pause', (req, res) => pause(page, req, res));
  router.post('/jobs/:name/resume', (req, res) => resume(page, req, res));
  return router;
}

interface JobPages {
  readonly deps: Deps;
  readonly pasts: JobPasts;
}

/** A run by hand, with the input that its form has. */
async function startRun(page: JobPages, req: Asking, res: Response): Promise<void> {
  const { deps } = page;
  const job = findJob(deps, req.params['name'] ?? '');
  assertOpen(deps.runner);
  const sent = readRunForm(job, formFields(req));
  if ('problems' in sent.read) {
    return await sendRunForm(page, req, res.status(422), { sent, problems: sent.read.problems });
  }
  const requested = await runNow(deps, job, {
    input: sent.read.input,
    key: sent.key,
    beside: sent.beside,
    rerunOf: null,
    by: nameOf(req),
    traceparent: req.get('traceparent') ?? null,
  });
  if (sent.hasForm && requested.kind === 'bad-input') {
    return await sendRunForm(page, req, res.status(422), { sent, problems: requested.problems });
  }
  if (sent.hasForm && requested.kind === 'other-request') {
    return await sendRunForm(page, req, res.status(409), { sent, wrong: USED_BEFORE });
  }
  if (sent.hasForm && requested.kind === 'refused') {
    const { status, message: why } = refusal(requested);
    return await sendRunForm(page, req, res.status(status), {
      sent,
      wrong: `Not started: ${why}.`,
    });
  }
  const run = startedRun(requested, job.name);
  await answerWithPage(page, req, res.status(201), {
    name: job.name,
    goTo: runUrl(run.id),
    said: startedWords(requested, run),
  });
}

const USED_BEFORE =
  'This form has started a run already, with another input. Start it again for one more run.';

/** A form of a run as it was sent; its texts without what is secret in them. */
interface SentRun {
  readonly hasForm: boolean;
  readonly as: 'fields' | 'json';
  readonly texts: Texts;
  readonly json: string;
  readonly key: string | undefined;
  readonly beside: boolean;
  readonly read: ReturnType<typeof readJsonText>;
}

function readRunForm(job: Job, sent: ReadonlyMap<string, string>): SentRun {
  const form = inputForm(job.input);
  const { fields } = form;
  const as = sent.get('as') === 'fields' && fields !== null ? 'fields' : 'json';
  const texts = new Map(
    [...sent].flatMap(([name, text]) =>
      name.startsWith('input.') ? [[name.slice('input.'.length), text] as const] : [],
    ),
  );
  const json = sent.get('json') ?? '';
  const quietly = marksOf(job.input) !== null;
  return {
    hasForm: sent.has('as'),
    as,
    texts: textsToShow(form, texts),
    json: quietly ? jsonToShow(job, json) : json,
    key: formKey(sent),
    beside: sent.get('overlap') === 'allow',
    read:
      as === 'fields' && fields !== null
        ? readTexts(fields, texts)
        : readJsonText(json, { quietly }),
  };
}

/** A text without what is secret in it; of one that is no JSON nothing, as all of it may be. */
function jsonToShow(job: Job, json: string): string {
  const read = readJsonText(json);
  return 'input' in read ? jsonTextOf(withoutSecrets(job, read.input)) : '';
}

/** The form again, as it was filled in, with what is wrong with it. */
async function sendRunForm(
  page: JobPages,
  req: Asking,
  res: Response,
  given: {
    readonly sent: SentRun;
    readonly problems?: readonly InputProblem[];
    readonly wrong?: string;
  },
): Promise<void> {
  const { as, texts, json, beside } = given.sent;
  const { fields, whole } = byField(given.problems ?? []);
  const wrong = [...(given.wrong === undefined ? [] : [given.wrong]), ...whole];
  const name = req.params['name'] ?? '';
  const run = { as, texts, json, beside, problems: fields, wrong, open: true };
  const asked = { name, query: new Map(), run };
  await sendForm(page, req, res, {
    asked,
    words: given.wrong ?? 'Not started: something in the form is not right yet.',
    panel: ({ now, job, forms }) =>
      forms && partial('#run-now', 'outerHTML', runPanel(job.name, forms.run, now)),
  });
}

/** Problems under their fields: `/input/targets/3` stands under `targets`. */
function byField(problems: readonly InputProblem[]): {
  readonly fields: FieldProblems;
  readonly whole: readonly string[];
} {
  const fields = new Map<string, string[]>();
  const whole: string[] = [];
  for (const { path, message: words } of problems) {
    const [, , first, ...rest] = path.split('/');
    if (first === undefined) {
      whole.push(`The input ${words}`);
      continue;
    }
    const name = first.replaceAll('~1', '/').replaceAll('~0', '~');
    const place = rest.map((part) => (/^\d+$/.test(part) ? `item ${Number(part) + 1}` : part));
    const told = place.length === 0 ? words : `${place.join(', ')}: ${words}`;
    fields.set(name, [...(fields.get(name) ?? []), told]);
  }
  return { fields, whole };
}

const NOTE_LIMIT = 500;
/** Of one that is far too long, so much comes back to be shortened. */
const NOTE_KEPT = 5000;
const UNTIL_LIMIT = 40;

/** A pause with its note and its end; of a paused job, another note and another end. */
async function pause(page: JobPages, req: Asking, res: Response): Promise<void> {
  const { deps } = page;
  const { name } = findJob(deps, req.params['name'] ?? '');
  const sent = formFields(req);
  const { storeNow } = await deps.store.time();
  const note = sent.get('note')?.trim() ?? '';
  const end = endOf(sent, storeNow);
  const problems = new Map<string, string[]>();
  if (note.length > NOTE_LIMIT) problems.set('note', [`has more than ${NOTE_LIMIT} characters`]);
  if ('wrong' in end) problems.set('until', [end.wrong]);
  if ('wrong' in end || problems.size > 0) {
    const lasts = sent.get('lasts') ?? '';
    const until = (sent.get('until') ?? '').slice(0, UNTIL_LIMIT);
    const form = { note: note.slice(0, NOTE_KEPT), lasts, until, problems, open: true };
    return await sendForm(page, req, res.status(422), {
      asked: { name, query: new Map(), pause: form },
      words: 'Not paused: something in the form is not right yet.',
      panel: ({ job, forms }) => forms && pausePart(job, forms),
    });
  }
  const asked = { by: nameOf(req), note: note === '' ? null : note, until: end.until };
  assertChanged(await pauseJob(deps, name, asked));
  await answerWithPage(page, req, res, {
    name,
    goTo: jobUrl(name),
    said: html`${name} is paused.`,
  });
}

/** When a pause ends, as its form says: null for never by itself. */
function endOf(
  sent: ReadonlyMap<string, string>,
  now: Instant,
): { readonly until: Instant | null } | { readonly wrong: string } {
  const lasts = sent.get('lasts') ?? '';
  if (!PAUSE_ENDS.some(([value]) => value === lasts)) return { wrong: 'choose how long' };
  if (lasts === '') return { until: null };
  if (lasts !== 'until') return { until: now + (parseDuration(lasts) ?? 0) };
  const until = utcField(sent.get('until') ?? '');
  if (until === undefined) return { wrong: 'choose a date and a time, in UTC' };
  return until > now ? { until } : { wrong: 'lies in the past' };
}

async function resume(page: JobPages, req: Asking, res: Response): Promise<void> {
  const { name } = findJob(page.deps, req.params['name'] ?? '');
  assertChanged(await resumeJob(page.deps, name, nameOf(req)));
  await answerWithPage(page, req, res, {
    name,
    goTo: jobUrl(name),
    said: html`${name} is resumed.`,
  });
}

/** A form that something is wrong with: in its place, or on its page where there are no scripts. */
async function sendForm(
  { deps, pasts }: JobPages,
  req: Asking,
  res: Response,
  form: {
    readonly asked: JobAsked;
    readonly words: string;
    readonly panel: (view: JobView) => Printable;
  },
): Promise<void> {
  const { asked, words, panel } = form;
  if (isHtmx(req)) {
    const view = await readJob(deps, pasts, asked);
    return sendHtml(res, html`${message('bad', words)}${panel(view)}`);
  }
  await showAgain(deps, req, res, async (counted) => {
    const view = await readJob(counted, pasts, asked);
    // Its address takes no questions, so it can't ask for itself again.
    const live = false;
    return { title: asked.name, section: 'jobs', now: view.now, live, body: jobBody(view) };
  });
}

/** The page as it is now, with its forms as new: what they did is done. */
async function answerWithPage(
  { deps, pasts }: JobPages,
  req: Asking,
  res: Response,
  answer: { readonly name: string; readonly goTo: string; readonly said: Printable },
): Promise<void> {
  const { name, goTo, said } = answer;
  if (!isHtmx(req)) return answerClick(req, res, { goTo, said });
  const view = await readJob(deps, pasts, { name, query: queryInSight(req, name) });
  const { forms, job, now } = view;
  const panels: Html[] =
    forms === null
      ? []
      : [
          partial('#run-now', 'outerHTML', runPanel(name, { ...forms.run, open: false }, now)),
          pausePart(job, forms),
        ];
  const parts = [partial('#page', 'innerMorph', jobBody(view)), ...panels];
  answerClick(req, res, { goTo, said, parts });
}

const pausePart = (
  { name, paused }: JobView['job'],
  { pause: form }: NonNullable<JobView['forms']>,
): Html => partial(`#${pauseId(paused)}`, 'outerHTML', pausePanel(name, paused, form));

/** What the page is narrowed down to where somebody clicked, so that it stays so. */
function queryInSight(req: Asking, name: string): ReadonlyMap<string, string> {
  const url = URL.parse(req.get('HX-Current-URL') ?? '');
  if (url?.pathname !== jobUrl(name)) return new Map();
  const known: readonly string[] = JOB_QUERY;
  return new Map(
    [...url.searchParams].filter(([key, value]) => known.includes(key) && value !== ''),
  );
}
