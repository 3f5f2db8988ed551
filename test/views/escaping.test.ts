import { describe, expect, test } from 'vitest';
import { zoneOf } from '../../server/core/zone.ts';
import type { Run } from '../../server/core/records.ts';
import { actionsBody } from '../../views/actions.ts';
import { html } from '../../views/html.ts';
import { jobRow } from '../../views/jobs.ts';
import { page, problemPage } from '../../views/layout.ts';
import { loginPage } from '../../views/login.ts';
import { overview } from '../../views/overview.ts';
import { runBody } from '../../views/run.ts';
import { runsBody } from '../../views/runs-page.ts';
import { runRow } from '../../views/runs.ts';
import { scheduleBody } from '../../views/schedule.ts';
import { systemBody } from '../../views/system.ts';
import { timelineBody } from '../../views/timeline.ts';
import { jobRecord, lease } from '../builders.ts';
import { listedJob, logShown, NOW, run, runView, textOf } from './builders.ts';
import { nastyBackfill, nastyJobPage } from './job-nasty.ts';
import { clean, facts, inStep, steady, systemView } from './system-view.ts';
import { ended, lane, timelineView } from './timeline-view.ts';

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

const assets = { css: '/a.css', js: '/a.js', icon: '/a.svg' };
const error = (text: string) => ({ name: text, message: text, stack: text });

const nastyJob = (text: string) =>
  listedJob({
    name: text,
    description: text,
    tags: [text],
    schedule: text,
    timeZone: text,
    problem: text,
    unfinished: [text],
    last: { runId: text, state: 'failed', at: NOW },
    recent: [{ id: text, state: 'failed', at: NOW, ms: 1 }],
  });

const nastyPause = (text: string) =>
  listedJob({ state: 'paused', paused: { at: NOW, by: text, note: text, until: null } });

const nastyList = (text: string) =>
  overview({
    now: NOW,
    asked: { text, tag: text, state: null, page: 1 },
    problem: text,
    jobs: [nastyJob(text)],
    pages: 2,
    found: 1,
    all: 2,
    more: false,
    groups: [],
    tags: [],
    wrong: null,
  });

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

const nastyPage = (text: string, state: Run['state']) => {
  const line = { at: NOW, level: 'info', text, fields: text } as const;
  const cancel = { at: NOW, why: 'cancelled', by: text } as const;
  const entries = [{ kind: 'line', line }] as const;
  const filter = { text, level: 'warn' } as const;
  return runBody({
    ...runView({}),
    run: { ...nastyRun(text), state },
    record: jobRecord({
      active: { a: lease({ runId: text, cancel }) },
      recent: [{ id: text, state: 'failed', at: NOW, ms: 1 }],
      last: { runId: `${text}!`, state: 'failed', at: NOW + 1 },
    }),
    log: logShown(entries, { runId: text, part: { entries, before: text, after: text }, filter }),
    project: text,
  });
};

const asked = (text: string) => ({ schedule: text, timeZone: text, name: text });

const refusedSchedule = (text: string) => {
  const problems = [{ field: 'schedule', message: text } as const];
  return scheduleBody({ asked: asked(text), now: NOW, result: { problems } }, [text]);
};

const nastySchedule = (text: string) => {
  const schedule = { zone: zoneOf('UTC'), text, timeZone: text, rules: [] };
  const result = { schedule, explained: { occurrences: [], clockChanges: [] } };
  return scheduleBody({ asked: asked(text), now: NOW, result }, [text]);
};

const nastyFilter = (text: string) =>
  runsBody({
    q: text,
    problems: [{ message: text, instead: text }],
    hints: [text],
    job: text,
    found: { runs: [nastyRun(text)], next: text, search: { scanned: 1, backTo: NOW } },
    trail: [text, text],
    asOf: NOW,
    now: NOW,
  });

const nastyTimeline = (text: string) => {
  const paused = { at: NOW, by: text, note: text, until: null };
  const job = { ...nastyJob(text), paused };
  const stretch = { reason: null, count: 1, atLeast: false };
  const underway = { id: text, state: 'running', from: NOW, until: NOW, lateMs: 0 } as const;
  const lanes = [
    lane({
      job,
      name: text,
      ended: [
        ended({ id: text, state: 'failed', error: text }),
        ended({ id: null, short: text, state: 'missed', stretch }),
      ],
      underway: [underway],
      coming: { at: [], bands: [{ from: NOW, to: NOW }] },
      paused: { from: NOW, to: NOW },
    }),
  ];
  const asked = { text, tag: text, hours: 6, page: 2 } as const;
  return timelineBody(timelineView({ lanes, asked, tags: [text], pages: 3 }));
};

const nastySystem = (text: string) =>
  systemBody(
    systemView({
      process: { ...facts, owner: text, build: text, namespace: text, zones: text },
      store: { ...steady, place: text, unsteady: text },
      wake: { by: 'tick', last: null, trouble: text },
      scheduler: {
        note: { ...inStep, inSync: false, steps: { [text]: 1 } },
        changed: true,
        resumed: [text],
      },
      instances: [{ owner: text, build: text, since: NOW, seenAt: NOW, running: 1 }],
      builds: [{ build: text, firstSeenAt: NOW, lastSeenAt: NOW, inForce: true }],
      leases: [{ ...lease({ runId: text, owner: text }), job: text, endsAt: NOW }],
      waiting: [{ job: text, runId: text, state: 'queued', since: NOW, until: null }],
      overdue: [text],
      broken: [{ name: text, problem: text }],
      audit: { ...clean, gaps: 1, firstGaps: [text], cleanSince: null },
      calls: new Map([[text, 1]]),
      costs: new Map([[text, { reads: 1, writes: 1, deletes: 1 }]]),
    }),
  );

const nastyActions = (text: string) => {
  const said = { detail: text, before: text, after: text };
  const who = { id: text, at: NOW, by: text, action: text, job: text, runId: text };
  return actionsBody({
    actions: [{ ...who, ...said }],
    asked: { job: text, by: text },
    problem: null,
    hints: [text],
    trail: [text],
    next: text,
    search: null,
    now: NOW,
  });
};

const VIEWS = {
  'job row': (text: string) => jobRow(nastyJob(text), NOW),
  'jobs page': nastyList,
  'paused job row': (text: string) => jobRow(nastyPause(text), NOW),
  'job page': (text: string) => nastyJobPage(text, 'fields'),
  'job page with JSON': (text: string) => nastyJobPage(text, 'json'),
  'backfill page': nastyBackfill,
  'run row': (text: string) => runRow(nastyRun(text), NOW, { job: 'shown' }),
  'run page': (text: string) => nastyPage(text, 'running'),
  'page of a failed run': (text: string) => nastyPage(text, 'failed'),
  'runs page': nastyFilter,
  'actions page': nastyActions,
  'schedule page': nastySchedule,
  'timeline page': nastyTimeline,
  'system page': nastySystem,
  'schedule page with problems': refusedSchedule,
  'problem page': (text: string) => problemPage({ title: text, detail: text, assets }),
  'sign-in page': (text: string) => loginPage({ next: text, wrong: text, assets }),
  'page of somebody': (text: string) =>
    page({
      title: text,
      section: null,
      assets,
      body: html`${text}`,
      now: NOW,
      cost: null,
      polling: { url: text, seconds: 3 },
      visitor: { name: text, role: 'operator', signedIn: true },
    }),
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
  const hostile = run({ id: 'javascript:alert(1)//../..?x#y' });

  const { markup } = runRow(hostile, NOW, { job: 'shown' });

  expect(markup).toContain('href="/runs/javascript%3Aalert(1)%2F%2F..%2F..%3Fx%23y"');
});
