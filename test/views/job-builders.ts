import type { JobView } from '../../views/job.ts';
import type { RunForm } from '../../views/job-forms.ts';
import type { JobSettings, Policies } from '../../views/job-settings.ts';
import { readSchedule } from '../core/read-schedule.ts';
import { jobRecord } from '../builders.ts';
import { job, NOW } from './builders.ts';

export { NOW };

/** What the page of a job is made of: each builder fills what a test does not care about. */

export const policies = (given: Partial<Policies> = {}): Policies => ({
  schedule: '0 2 * * *',
  timeZone: 'UTC',
  spec: jobRecord().spec,
  ...given,
});

export const settings = (given: Partial<JobSettings> = {}): JobSettings => ({
  inForce: policies(),
  build: 'build-1',
  scheduleSince: NOW,
  registeredAt: NOW,
  code: policies(),
  codeBuild: 'build-2',
  input: 'anything',
  isolate: null,
  ...given,
});

export const runForm = (given: Partial<RunForm> = {}): RunForm => ({
  form: { fields: null, schema: null },
  declared: false,
  as: given.form !== undefined && given.form.fields !== null ? 'fields' : 'json',
  texts: new Map(),
  json: '',
  problems: new Map(),
  wrong: [],
  key: 'key',
  from: null,
  earlier: [],
  beside: false,
  open: false,
  ...given,
});

export const jobView = (given: Partial<JobView> = {}): JobView => ({
  now: NOW,
  job: job(),
  schedule: {
    text: '*/5 * * * *',
    timeZone: 'UTC',
    schedule: readSchedule('*/5 * * * *', 'UTC'),
    next: [NOW + 300_000],
    clockChanges: [],
    paused: null,
  },
  settings: settings(),
  durations: { taken: [], notTaken: [], p50Ms: null, p95Ms: null, timeoutMs: null },
  days: [],
  history: {
    filter: { state: '', trigger: '', since: '', until: '', text: '' },
    problems: [],
    runs: [],
    trail: [],
    next: undefined,
    asOf: null,
    search: null,
  },
  choices: { states: [['failed', 'failed']], triggers: ['manual'] },
  actions: [],
  backfill: null,
  forms: {
    run: runForm(),
    pause: { note: '', lasts: '', until: '', problems: new Map(), open: false },
  },
  ...given,
});
