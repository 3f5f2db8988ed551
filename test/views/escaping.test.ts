import { describe, expect, test } from 'vitest';
import { zoneOf } from '../../server/core/zone.ts';
import type { Run } from '../../server/core/records.ts';
import { jobRow } from '../../views/jobs.ts';
import { problemPage } from '../../views/layout.ts';
import { runPage } from '../../views/run.ts';
import { runRow } from '../../views/runs.ts';
import { schedulePage } from '../../views/schedule.ts';
import { job, NOW, run, textOf } from './builders.ts';

const NASTY = [
  '<script>alert(1)</script>',
  '"><script>alert(1)</script>',
  "' onmouseover='alert(1)",
  '" autofocus onfocus="alert(1)',
  '</textarea><img src=x onerror=alert(1)>',
  '</title></head><body onload=alert(1)>',
  '</pre><svg onload=alert(1)>',
  '<svg><animate onbegin=alert(1) attributeName=x>',
  '<hx-partial hx-target="body">gone</hx-partial>',
  '<div hx-get="/x" hx-trigger="load"></div>',
  '" hx-on:click="alert(1)',
  'javascript:alert(1)',
  '{{constructor.constructor("alert(1)")()}}',
  '${alert(1)}',
  '<!--',
  ']]><script>',
  '&lt;script&gt;&#60;script&#62;',
  '\u001b]8;;http://evil.example\u0007click\u001b[0m',
  '\u202egnp.exe\u202c',
  '\ud800<b>\udfff',
  '\0<\0script>',
  '`x`=`y`',
  '<',
];

const assets = { css: '/c', htmx: '/h' };
const error = (text: string) => ({ name: text, message: text, stack: text });

const nastyJob = (text: string) =>
  job({
    name: text,
    description: text,
    schedule: text,
    timeZone: text,
    problem: text,
    unfinished: [text],
    last: { runId: text, state: 'failed', at: NOW },
    recent: [{ id: text, state: 'failed', at: NOW, ms: 1 }],
  });

const nastyPause = (text: string) =>
  job({ state: 'paused', paused: { at: NOW, by: text, note: text, until: null } });

const nastyRun = (text: string): Run =>
  run({
    id: text,
    job: text,
    state: 'running',
    attempts: [
      {
        n: 1,
        fence: 1,
        attemptId: text,
        owner: text,
        startedAt: NOW,
        endedAt: NOW,
        outcome: 'failed',
        error: error(text),
      },
    ],
    input: text,
    output: JSON.stringify({ [text]: text }),
    error: error(text),
    notes: [{ at: NOW, text }],
    requestedBy: text,
    backfillOf: text,
    traceparent: `00-${text}-x-01`,
    cause: text,
    lateResult: {
      attemptId: text,
      outcome: 'failed',
      output: text,
      error: error(text),
      notes: [text],
      at: NOW,
    },
    build: text,
  });

const nastyPage = (text: string) =>
  runPage(
    {
      run: nastyRun(text),
      log: {
        entries: [{ kind: 'line', line: { at: NOW, level: 'info', text, fields: text } }],
        progress: null,
      },
      now: NOW,
      refreshSeconds: 3,
    },
    assets,
  );

const asked = (text: string) => ({ schedule: text, timeZone: text, name: text });

const refusedSchedule = (text: string) => {
  const problems = [{ field: 'schedule', message: text } as const];
  return schedulePage({ asked: asked(text), now: NOW, result: { problems } }, [text], assets);
};

const nastySchedule = (text: string) => {
  const schedule = { zone: zoneOf('UTC'), text, timeZone: text, rules: [] };
  const result = { schedule, explained: { occurrences: [], clockChanges: [] } };
  return schedulePage({ asked: asked(text), now: NOW, result }, [text], assets);
};

const VIEWS = {
  'job row': (text: string) => jobRow(nastyJob(text), NOW),
  'paused job row': (text: string) => jobRow(nastyPause(text), NOW),
  'run row': (text: string) => runRow(nastyRun(text), NOW),
  'run page': nastyPage,
  'schedule page': nastySchedule,
  'schedule page with problems': refusedSchedule,
  'problem page': (text: string) => problemPage({ title: text, detail: text, assets }),
} as const;

/** Tags with the names of their attributes: all that could do anything. */
function skeleton(markup: string): string[] {
  const tag = /<(!?\/?[a-z][a-z0-9-]*)((?:\s+[a-z][a-z0-9:-]*(?:="[^"]*")?)*)\s*\/?>/gi;
  return [...markup.matchAll(tag)].map(
    ([, name, attributes = '']) =>
      `${name}${attributes.replace(/="[^"]*"/g, '').replace(/\s+/g, ' ')}`,
  );
}

describe.each(Object.entries(VIEWS))('%s', (_name, view) => {
  test.each(NASTY)('%j adds no tag and no attribute', (text) => {
    const { markup } = view(text);

    expect(skeleton(markup)).toEqual(skeleton(view('plain').markup));
    expect(markup.match(/</g)?.length).toBe(view('plain').markup.match(/</g)?.length);
  });

  test.each(NASTY)('%j leaves nothing hidden in the page', (text) => {
    // oxlint-disable-next-line no-control-regex
    expect(view(text).markup).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
    expect(view(text).markup.isWellFormed()).toBe(true);
  });

  test('text is still there to be read', () => {
    expect(textOf(view('<b>&"'))).toContain('<b>&"');
  });
});

test('a link to a run never leaves the path of runs', () => {
  const { markup } = runRow(run({ id: 'javascript:alert(1)//../..?x#y' }), NOW);

  expect(markup).toContain('href="/runs/javascript%3Aalert(1)%2F%2F..%2F..%3Fx%23y"');
});
