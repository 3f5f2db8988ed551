import type { StandardSchemaV1 } from '@standard-schema/spec';
import { createApp } from '../../server/app.ts';
import { NOTHING } from '../../server/core/carrier.ts';
import type { Deps } from '../../server/core/deps.ts';
import { defineJob, type Job } from '../../server/core/job.ts';
import type { JobRecord, Run } from '../../server/core/records.ts';
import type { Store } from '../../server/core/store.ts';
import { makeServer } from '../../server/http/server.ts';
import { commit, jobRecord, logChunk } from '../builders.ts';
import { openService, type TestService } from '../service.ts';
import { TEST_START as NOW } from '../test-clock.ts';
import { plant, type Text } from './fields.ts';
import { fullAction, fullRecord, fullRun, HOUR, SHAPES } from './full.ts';
import { tableOf, without, type Planting } from './planted.ts';

/*
 * A service in which every text that is on record, or that a process says of itself, is one that
 * was planted: of some numbers of a planting, since tables of a page have an end.
 */

/** Of each number there are these jobs; the ones in the code have its descriptions and schemas. */
export const NAMES = {
  /** Its schedule can't be read. */
  odd: (k: number) => `odd-${k}`,
  /** Its schedule can be read, and it is backfilled. */
  plain: (k: number) => `plain-${k}`,
} as const;

export const RUNS = {
  /** At work, and told to stop long ago; of a job that nobody could have named so. */
  live: (k: number) => `odd-${k}!live`,
  /** Over. */
  over: (k: number) => `odd-${k}!over`,
  /** Over, with an input that a form can be filled in from. */
  before: (k: number) => `plain-${k}!before`,
} as const;

export interface World {
  readonly url: string;
  readonly service: TestService;
  readonly numbers: readonly number[];
  /** Of which number what the process says of itself is. */
  readonly speakOf: (k: number) => void;
  readonly close: () => Promise<void>;
}

/** With jobs, runs and all the rest of these numbers; of none at all there is the process alone. */
export async function openWorld(
  planting: Planting,
  numbers: readonly number[],
  path = ':memory:',
): Promise<World> {
  const service = await openService(
    numbers.flatMap((k) => jobsOf(planting, k)),
    { path },
  );
  for (const k of numbers) await plantRecords(service, planting, k);
  for (const k of numbers) await plantNotes(service, planting, { namespaceOf: k, numbers });
  let current = numbers[0] ?? 0;
  const deps = odd(service, (table, path) => planting.text(table, path, current));
  const server = makeServer(createApp(deps), { log: service.deps.log });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const speakOf = (k: number): void => void (current = k);
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await service.store.close();
  };
  return { url: `http://127.0.0.1:${port}`, service, numbers, speakOf, close };
}

/** A process that says of itself what it is told to say, at each request anew. */
function odd(
  { deps, store }: TestService,
  text: (table: 'PROCESS' | 'PLACE' | 'STORE_TIME', path: string) => string,
): Deps {
  const strange: Store = new Proxy<Store>(store, {
    get(target, key) {
      if (key === 'place') return text('PLACE', 'place');
      if (key === 'time') {
        return async () => ({ ...(await target.time()), unsteady: text('STORE_TIME', 'unsteady') });
      }
      const part: unknown = Reflect.get(target, key, target);
      return typeof part === 'function' ? part.bind(target) : part;
    },
  });
  return {
    ...deps,
    store: strange,
    // With Cloud Scheduler there is more to see.
    carrier: NOTHING,
    trouble: () => text('PLACE', 'trouble'),
    get owner() {
      return text('PROCESS', 'owner');
    },
    get build() {
      return text('PROCESS', 'build');
    },
    get project() {
      return text('PROCESS', 'project');
    },
    get namespace() {
      return text('PROCESS', 'namespace');
    },
    get zoneData() {
      return text('PROCESS', 'zoneData');
    },
  };
}

/** What the code says: a name and a tag of any text are refused there (test/http/harm.test.ts). */
function jobsOf(planting: Planting, k: number): Job[] {
  const description = planting.text('JOB', 'description', k);
  const input = schemaOf(planting.of('SCHEMA', k));
  const rest = { description, input, schedule: '0 2 * * *', run: () => undefined };
  return [NAMES.odd(k), NAMES.plain(k)].map((name) => {
    const job = defineJob({ name, ...rest });
    return Object.assign(job, { tags: [planting.text('JOB', 'tags', k)] });
  });
}

/** A schema that takes nothing. */
const schemaOf = (text: Text): StandardSchemaV1 => ({
  '~standard': {
    version: 1,
    vendor: text('vendor'),
    validate: () => ({ issues: [{ message: text('issue'), path: [text('property')] }] }),
    ...describing(text),
  },
});

/** What a schema has besides where it can say what it takes: Standard JSON Schema. */
const describing = (text: Text) => ({ jsonSchema: { input: () => describedBy(text) } });

const describedBy = (text: Text) => ({
  type: 'object',
  properties: Object.fromEntries([
    [text('property'), { type: 'string', default: text('preset') }],
    ['titled', { type: 'string', title: text('title'), description: text('description') }],
    ['chosen', { enum: [text('choice'), 'other'] }],
    ['listed', { type: 'array', items: { type: 'string' }, default: [text('preset')] }],
    ['free', { type: 'object', description: text('description') }],
  ]),
});

async function plantRecords(service: TestService, planting: Planting, k: number): Promise<void> {
  await plantOdd(service, planting, k);
  await plantPlain(service, planting, k);
  await plantNamed(service, planting, k);
  await plantSetAside(service, planting, k);
}

/** Commits a record in the place of what is there, with what comes beside it. */
async function put(
  { store }: TestService,
  record: JobRecord,
  more: Parameters<typeof commit>[1] = {},
): Promise<void> {
  const { record: before, version } = await store.read(record.name);
  const next = { ...record, rev: (before?.rev ?? 0) + 1 };
  const done = await store.commit(commit(next, { version, decidedAt: NOW, ...more }));
  if (done.kind !== 'ok') throw new Error(`${record.name}: ${done.kind}`);
}

async function plantOdd(service: TestService, planting: Planting, k: number): Promise<void> {
  const job = NAMES.odd(k);
  const table = without('JOB_RECORD', 'name');
  const record = plant(fullRecord({ name: job }), table, planting.of('JOB_RECORD', k));
  const over = plant(
    fullRun({ id: RUNS.over(k), job }),
    without('RUN', 'id', 'job'),
    planting.of('RUN', k),
  );
  const done = plant(
    fullAction({ id: `of-${k}`, job }),
    without('ACTION', 'id', 'job'),
    planting.of('ACTION', k),
  );
  await put(service, record, { create: [over], actions: [done] });
}

async function plantPlain(service: TestService, planting: Planting, k: number): Promise<void> {
  const job = NAMES.plain(k);
  const table = without('JOB_RECORD', 'name', 'schedules.schedule', 'schedules.timeZone');
  const schedules = [{ schedule: '*/5 * * * *', timeZone: 'UTC', from: NOW - 96 * HOUR }];
  const record = fullRecord({ name: job, schedules, active: {}, watermark: NOW });
  const planted = plant(record, table, planting.of('JOB_RECORD', k));
  const titled = planting.text('RUN', 'input', k);
  const before = fullRun({ id: RUNS.before(k), job, input: JSON.stringify({ titled }) });
  const of = plant(before, without('RUN', 'id', 'job', 'input'), planting.of('RUN', k));
  await put(service, planted, { create: [of] });
}

/** Jobs, runs and actions whose very names nobody could have given them. */
async function plantNamed(service: TestService, planting: Planting, k: number): Promise<void> {
  const live = RUNS.live(k);
  const record = plant(fullRecord({}), tableOf('JOB_RECORD'), planting.of('JOB_RECORD', k));
  const active = Object.entries(record.active).map(([id, held]) => [id, { ...held, runId: live }]);
  const text = planting.of('RUN', k);
  const run = (shape: Partial<Run>): Run => plant(fullRun(shape), tableOf('RUN'), text);
  const runs = SHAPES.map((shape, i) => {
    const one = run(shape);
    return i === 0 ? one : { ...one, id: `${one.id}~${i}` };
  });
  const atWork = { ...run({ state: 'running', endedAt: null }), id: live, job: record.name };
  const lines = [{ at: NOW, level: 'warn', text: 'x', fields: 'x' } as const];
  const said = plant(logChunk({ lines }), tableOf('LOG_CHUNK'), planting.of('LOG_CHUNK', k));
  const done = plant(fullAction({}), tableOf('ACTION'), planting.of('ACTION', k));
  const spec = { job: 'x', schedule: 'x', timeZone: 'x', from: NOW, build: 'x', zoneData: 'x' };
  await put(
    service,
    { ...record, active: Object.fromEntries(active) },
    {
      create: [...runs, atWork],
      actions: [done],
      specs: [plant(spec, tableOf('SPEC'), planting.of('SPEC', k))],
      logs: [said, { ...said, runId: live }],
    },
  );
}

/** One that a wake-up set aside, and one whose record somebody broke. */
async function plantSetAside(service: TestService, planting: Planting, k: number): Promise<void> {
  const { store } = service;
  const problem = planting.text('LOADED', 'setAside', k);
  await put(service, jobRecord({ name: `aside-${k}` }));
  const { version = '' } = await store.read(`aside-${k}`);
  await store.quarantine({ name: `aside-${k}`, version, until: NOW + HOUR, problem });

  const broken = jobRecord({ name: `broken-${k}` });
  const wrong = planting.text('LOADED', 'problem', k);
  await put(service, { ...broken, spec: { ...broken.spec, onLost: wrong as 'fail' } });
}

/** Small documents about the namespace of one number, of what stands in those of all. */
async function plantNotes(
  { store }: TestService,
  planting: Planting,
  { namespaceOf, numbers }: { readonly namespaceOf: number; readonly numbers: readonly number[] },
): Promise<void> {
  const namespace = planting.text('PROCESS', 'namespace', namespaceOf);
  const write = async (what: string, value: unknown): Promise<void> => {
    const found = await store.readMeta(`${what}:${namespace}`);
    await store.writeMeta(`${what}:${namespace}`, value, found?.version);
  };
  const byText = (table: 'INSTANCE' | 'BUILD', path: string, value: (k: number) => unknown) =>
    Object.fromEntries(numbers.map((k) => [planting.text(table, path, k), value(k)]));
  const seen = { firstSeenAt: NOW - HOUR, lastSeenAt: NOW };
  const of = (k: number) => planting.text('INSTANCE', 'build', k);
  await write(
    'instances',
    byText('INSTANCE', 'owner', (k) => ({ build: of(k), since: NOW, seenAt: NOW, running: 1 })),
  );
  await write('registry', { builds: byText('BUILD', 'build', () => seen), jobs: {}, checkedAt: 0 });
  const steps = numbers.map((k) => [planting.text('SCHEDULER', 'steps.*', k), 2] as const);
  const paused = numbers.map((k) => planting.text('SCHEDULER', 'paused', k));
  const registry = planting.text('SCHEDULER', 'registry', namespaceOf);
  const note = { at: NOW, inSync: false, steps: Object.fromEntries(steps), registry, paused };
  await write('scheduler', note);
  const firstGaps = numbers.map((k) => planting.text('SELF_AUDIT', 'firstGaps', k));
  const counts = { jobs: 1, occurrences: 1, runs: 1, ranges: 1, gaps: 9 };
  await write('audit', { at: NOW, lookedBackTo: null, ...counts, firstGaps, cleanSince: null });
}
