import type { InputField } from '../../server/core/input-form.ts';
import { zoneOf } from '../../server/core/zone.ts';
import { backfillBody } from '../../views/backfill.ts';
import { jobBody } from '../../views/job.ts';
import { job, NOW, run } from './builders.ts';
import { jobView, policies, runForm, settings } from './job-builders.ts';

/** The page of a job, and of a backfill, with the same text wherever text may come from outside. */

const fieldsOf = (text: string): InputField[] => {
  const common = { label: text, description: text, required: false, nullable: false, preset: text };
  const name = (end: string): string => `${text}${end}`;
  return [
    { ...common, name: name('1'), kind: 'text', format: text, maxLength: null },
    { ...common, name: name('2'), kind: 'number', whole: true, min: null, max: null },
    { ...common, name: name('3'), kind: 'choice', values: [text] },
    { ...common, name: name('4'), kind: 'json' },
    { ...common, name: name('5'), kind: 'flag' },
  ];
};

export function nastyJobPage(text: string, as: 'fields' | 'json') {
  const paused = { at: NOW, by: text, note: text, until: null };
  const fields = fieldsOf(text);
  const problems = new Map([...fields.map(({ name }) => name), text].map((name) => [name, [text]]));
  const schedule = { zone: zoneOf('UTC'), text, timeZone: text, rules: [] };
  const backfill = { id: text, from: NOW - 1, to: NOW, cursor: NOW, since: NOW, by: text };
  const counted = { count: 1, atLeast: false };
  const view = jobView();
  return jobBody({
    ...view,
    job: job({
      name: text,
      description: text,
      tags: [text],
      schedule: text,
      timeZone: text,
      paused,
      problem: text,
      known: false,
      unfinished: [text, text],
      last: { runId: text, state: 'failed', at: NOW },
    }),
    schedule: { text, timeZone: text, schedule, next: [], clockChanges: [], paused },
    settings: settings({
      inForce: policies({ schedule: text, timeZone: text }),
      code: policies({ schedule: `${text}.`, timeZone: text }),
      build: text,
      codeBuild: text,
      input: text,
    }),
    durations: {
      ...view.durations,
      taken: [{ id: text, state: 'failed', at: NOW, ms: 1, attempts: 1, lateMs: 1 }],
    },
    history: {
      ...view.history,
      filter: { state: text, trigger: text, since: text, until: text, text },
      problems: [],
      runs: [run({ id: text, job: text, requestedBy: text })],
      trail: [text, text],
      next: text,
    },
    choices: { states: [[text, text]], triggers: [text] },
    backfill: { backfill, all: counted, left: counted },
    forms: {
      run: runForm({
        form: { fields, schema: text },
        declared: true,
        as,
        texts: new Map(fields.map(({ name }) => [name, text])),
        json: text,
        problems,
        wrong: [text],
        key: text,
        from: { id: text, found: true },
        earlier: [{ id: text, state: 'failed', at: NOW, input: text }],
      }),
      pause: {
        note: text,
        lasts: text,
        until: text,
        problems: new Map([['note', [text]]]),
        open: true,
      },
    },
  });
}

export const nastyBackfill = (text: string) =>
  backfillBody({
    name: text,
    timeZone: 'UTC',
    now: NOW,
    from: text,
    to: text,
    problems: new Map([['from', [text]]]),
    planned: {
      first: [NOW],
      count: 1,
      atLeast: false,
      key: text,
      known: new Map([[NOW, { id: text, state: 'failed' }]]),
      knownFrom: NOW,
    },
    suggested: [{ from: NOW, to: NOW, count: 1, atLeast: false, fromText: text, toText: text }],
    running: null,
    refused: null,
  });
