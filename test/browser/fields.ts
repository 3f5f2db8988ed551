import type { Deps } from '../../server/core/deps.ts';
import type { Instance } from '../../server/core/instances.ts';
import type { Job } from '../../server/core/job.ts';
import type {
  ActionRecord,
  JobRecord,
  LogChunk,
  Run,
  SpecRecord,
} from '../../server/core/records.ts';
import type { Build } from '../../server/core/register.ts';
import type { SchedulerNote } from '../../server/core/scheduler-note.ts';
import type { SelfAudit } from '../../server/core/self-audit.ts';
import type { LoadedJob, StoreTime } from '../../server/core/store.ts';

/*
 * Every text of every kind of record, and how much of it each page surely shows. Each table names
 * all fields of its type that may be any text: one that is added to the type and not here does not
 * compile, and what stands here is given each text of the corpus (planted.ts), and looked for.
 */

/** Where any text stands in a type, such as `attempts.error.name`; `*` for keys of a record. */
type TextPaths<Type> = Type extends string
  ? string extends Type
    ? ''
    : never
  : Type extends number | boolean | null | undefined | ((...given: never) => unknown)
    ? never
    : Type extends readonly (infer Item)[]
      ? TextPaths<Item>
      : {
          [Key in keyof Type & string]-?: string extends Key
            ? '*' | Joined<'*', TextPaths<Type[Key]>>
            : Joined<Key, TextPaths<Type[Key]>>;
        }[keyof Type & string];

type Joined<Key extends string, Rest extends string> = Rest extends '' ? Key : `${Key}.${Rest}`;

export type PageName =
  | 'actions'
  | 'backfill'
  | 'job'
  | 'jobs'
  | 'process'
  | 'refused'
  | 'run'
  | 'runs'
  | 'system'
  | 'timeline';

/** So many of its characters at least are in sight on a page. */
export type Shown = Readonly<Partial<Record<PageName, number>>>;

/** Of which type which texts are shown where. */
type Texts<Type> = Readonly<Record<TextPaths<Type>, Shown>>;

/** Addresses are made of it, or nothing at all. */
const NOWHERE = {};

export const RUN = {
  id: NOWHERE,
  job: { runs: 990 },
  'attempts.attemptId': NOWHERE,
  'attempts.owner': { run: 20 },
  'attempts.error.name': { run: 20, runs: 19 },
  'attempts.error.message': { run: 50, runs: 19 },
  'attempts.error.stack': NOWHERE,
  input: { run: 900, job: 50 },
  output: { run: 900 },
  'error.name': { run: 50, job: 19, runs: 19 },
  'error.message': { run: 800, job: 19, runs: 19 },
  'error.stack': { run: 900 },
  'notes.text': { run: 50 },
  requestHash: NOWHERE,
  requestedBy: { run: 50, job: 10, runs: 10 },
  backfillOf: { run: 50 },
  traceparent: NOWHERE,
  cause: NOWHERE,
  'lateResult.attemptId': NOWHERE,
  'lateResult.output': { run: 300 },
  'lateResult.error.name': { run: 50 },
  'lateResult.error.message': { run: 160 },
  'lateResult.error.stack': NOWHERE,
  'lateResult.notes': { run: 50 },
  build: { run: 50 },
} as const satisfies Texts<Run>;

export const JOB_RECORD = {
  name: { jobs: 990, run: 990, timeline: 990, system: 990 },
  namespace: NOWHERE,
  'schedules.schedule': { job: 990, jobs: 150 },
  'schedules.timeZone': { job: 990, jobs: 990 },
  specHash: NOWHERE,
  build: { job: 990 },
  'freed.runId': NOWHERE,
  'paused.by': { job: 990, jobs: 150 },
  'paused.note': { job: 990, jobs: 150 },
  'lastPause.by': NOWHERE,
  'lastPause.note': NOWHERE,
  'active.*': NOWHERE,
  'active.*.runId': NOWHERE,
  'active.*.owner': { system: 30 },
  'active.*.cancel.by': { run: 990 },
  'retries.runId': NOWHERE,
  'queue.runId': NOWHERE,
  'backfill.id': NOWHERE,
  'backfill.by': { backfill: 990 },
  'backfills.id': NOWHERE,
  'backfills.by': NOWHERE,
  'last.runId': NOWHERE,
  'recent.id': NOWHERE,
} as const satisfies Texts<JobRecord>;

export const LOG_CHUNK = {
  runId: NOWHERE,
  'lines.text': { run: 240 },
  'lines.fields': { run: 120 },
} as const satisfies Texts<LogChunk>;

export const ACTION = {
  id: NOWHERE,
  by: { actions: 10, job: 10 },
  action: { actions: 10, job: 10 },
  job: { actions: 990 },
  runId: NOWHERE,
  detail: { actions: 40, job: 40 },
  before: { actions: 40, job: 40 },
  after: { actions: 40, job: 40 },
} as const satisfies Texts<ActionRecord>;

/** The audit's alone. */
export const SPEC = {
  job: NOWHERE,
  schedule: NOWHERE,
  timeZone: NOWHERE,
  build: NOWHERE,
  zoneData: NOWHERE,
} as const satisfies Texts<SpecRecord>;

/** What a store says of a job beside its record. */
export const LOADED = {
  name: NOWHERE,
  version: NOWHERE,
  problem: { jobs: 35, system: 35 },
  setAside: { jobs: 150, system: 60 },
} as const satisfies Texts<Omit<LoadedJob, 'record'>>;

export const STORE_TIME = { unsteady: { process: 990 } } as const satisfies Texts<StoreTime>;

/** Small documents. */
export const INSTANCE = {
  owner: { system: 30 },
  build: { system: 30 },
} as const satisfies Texts<Instance>;
export const BUILD = { build: { system: 30 } } as const satisfies Texts<Build>;
export const SCHEDULER = {
  'steps.*': { system: 20 },
  registry: NOWHERE,
  paused: NOWHERE,
} as const satisfies Texts<SchedulerNote>;
export const SELF_AUDIT = {
  firstGaps: { system: 60 },
} as const satisfies Texts<SelfAudit>;

/** What the code of a job says. A schema says more (`planted.ts`). */
export const JOB = {
  name: NOWHERE,
  description: { job: 990, jobs: 150 },
  tags: { job: 990, jobs: 990 },
  schedule: NOWHERE,
  timeZone: NOWHERE,
  'problems.field': NOWHERE,
  'problems.message': NOWHERE,
} as const satisfies Texts<Omit<Job, 'input' | 'output' | 'run'>>;

/** What the process is told, or knows. */
type Told = Pick<Deps, 'owner' | 'build' | 'project' | 'namespace' | 'zoneData'>;
/** All that `Deps` has of texts: one that is added has to be told of above. */
type Own = { [Key in keyof Deps]-?: string extends Deps[Key] ? Key : never }[keyof Deps];
export const PROCESS = {
  owner: { process: 990 },
  build: { process: 990, job: 990 },
  project: NOWHERE,
  namespace: { process: 990 },
  zoneData: { process: 990 },
} as const satisfies Texts<Told> & Readonly<Record<Own, Shown>>;

/** Where a text is to be put, in the order in which neighbours are given neighbouring texts. */
export type Text = (path: string) => string;

/** The same value with each text of a table replaced. */
export function plant<Type>(value: Type, table: Readonly<Record<string, Shown>>, text: Text): Type {
  return planted(value, '', table, text) as Type;
}

function planted(
  value: unknown,
  at: string,
  table: Readonly<Record<string, Shown>>,
  text: Text,
): unknown {
  if (typeof value === 'string') return at in table ? text(at) : value;
  if (Array.isArray(value)) return value.map((item) => planted(item, at, table, text));
  if (typeof value !== 'object' || value === null) return value;
  const under = (key: string): string => (at === '' ? key : `${at}.${key}`);
  const any = under('*');
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) =>
      any in table
        ? [text(any), planted(part, any, table, text)]
        : [key, planted(part, under(key), table, text)],
    ),
  );
}

/** All texts that stand in a value, keys of records among them, by their paths. */
export function textsIn(value: unknown, table: object, at = ''): [path: string, text: string][] {
  if (typeof value === 'string') return [[at, value]];
  if (Array.isArray(value)) return value.flatMap((item) => textsIn(item, table, at));
  if (typeof value !== 'object' || value === null) return [];
  const under = (key: string): string => (at === '' ? key : `${at}.${key}`);
  const any = under('*');
  return Object.entries(value).flatMap(([key, part]) =>
    any in table
      ? [[any, key] as [string, string], ...textsIn(part, table, any)]
      : textsIn(part, table, under(key)),
  );
}
