import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Handler } from './context.ts';
import type { Job, Problem } from './job.ts';
import { describeError } from './outcome.ts';
import type { CatchUp, Overlap, RetryPolicy } from './records.ts';
import { parseSchedule } from './schedule.ts';
import { durationText, parseDuration } from './time.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const TAG = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/;
const HOUR_MS = 3_600_000;
const FIELDS = {
  definition:
    'name description tags schedule every at timeZone overlap catchUp timeout lease retry onLost ' +
    'input output run isolate',
  catchUp: 'runs within max',
  retry: 'attempts backoff',
  'retry.backoff': 'from factor to jitter',
  overlap: 'allow',
  isolate: 'memoryMb',
} as const;
/** What an isolated handler may take of memory, unless its job says otherwise. */
const ISOLATED_MB = 512;
/** Bounds that keep one job from drowning the service. */
const LIMITS = { allow: 100, attempts: 100, max: 1000, tags: 20, description: 1000 } as const;

/** Reads what a person wrote into a job, collecting every problem under its field. */
export function checkDefinition(definition: unknown): Job {
  const check = new Check();
  const given = check.object('definition', definition) ?? {};
  const name = check.name(given['name']);
  const { schedule, timeZone } = check.schedule(given, name);
  return {
    name,
    description: check.description(given['description']),
    tags: check.tags(given['tags']),
    schedule,
    timeZone,
    spec: {
      overlap: check.overlap(given['overlap']),
      catchUp: check.catchUp(given['catchUp']),
      timeoutMs: check.duration('timeout', given['timeout'], 600_000, { min: 1, max: 604_800_000 }),
      leaseMs:
        given['lease'] === undefined
          ? null
          : check.duration('lease', given['lease'], 0, { min: 2000, max: HOUR_MS }),
      retry: check.retry(given['retry'], given['onLost'] === 'retry' ? 2 : 1),
      onLost: check.onLost(given['onLost'], given['retry']),
    },
    timeoutGiven: given['timeout'] !== undefined,
    isolate: check.isolate(given['isolate']),
    input: check.validator('input', given['input']),
    output: check.validator('output', given['output']),
    run: check.run(given['run']),
    problems: check.problems,
  };
}

type Given = Readonly<Record<string, unknown>>;

/** Collects problems while it reads; each method returns something usable whatever it was given. */
class Check {
  readonly problems: Problem[] = [];

  fail(field: string, message: string): void {
    this.problems.push({ field, message });
  }

  object(where: keyof typeof FIELDS, value: unknown): Given | undefined {
    if (!isObject(value)) {
      this.fail(where, `expected an object, got ${show(value)}`);
      return undefined;
    }
    const known = FIELDS[where].split(' ');
    const copy: Record<string, unknown> = {};
    for (const key of keysOf(value)) {
      const field = where === 'definition' ? key : `${where}.${key}`;
      if (!known.includes(key)) {
        this.fail(field, `unknown field; known here are ${known.join(', ')}`);
        continue;
      }
      try {
        copy[key] = value[key];
      } catch (error) {
        this.fail(field, `can't be read: ${describeError(error).message}`);
      }
    }
    return copy;
  }

  name(value: unknown): string {
    if (typeof value === 'string' && NAME.test(value)) return value;
    const rule = 'expected 1 to 63 lower-case letters, digits and hyphens, not starting with one';
    this.fail('name', `${rule}, got ${show(value)}`);
    return typeof value === 'string' ? value : '';
  }

  description(value: unknown): string {
    if (value === undefined) return '';
    if (typeof value === 'string' && value.length <= LIMITS.description) return value;
    this.fail('description', `expected text of at most ${LIMITS.description} characters`);
    return '';
  }

  tags(value: unknown): string[] {
    if (value === undefined) return [];
    if (Array.isArray(value) && value.length <= LIMITS.tags) {
      const tags = value.filter((tag) => typeof tag === 'string').filter((tag) => TAG.test(tag));
      if (tags.length === value.length) return tags;
    }
    this.fail('tags', `expected at most ${LIMITS.tags} short words, got ${show(value)}`);
    return [];
  }

  schedule(given: Given, name: string): { schedule: string | null; timeZone: string } {
    const { field, text: schedule } = this.scheduleText(given);
    const timeZone = given['timeZone'] ?? 'UTC';
    if (typeof timeZone !== 'string') {
      this.fail('timeZone', `expected an IANA name such as "UTC", got ${show(timeZone)}`);
      return { schedule: null, timeZone: 'UTC' };
    }
    // Without a schedule the zone is checked all the same: a typing error waits there.
    const parsed = parseSchedule({ schedule: schedule ?? '* * * * *', timeZone }, name);
    for (const problem of 'problems' in parsed ? parsed.problems : []) {
      this.fail(problem.field === 'schedule' ? field : problem.field, problem.message);
    }
    return { schedule, timeZone };
  }

  /** What names the job's occurrences, as one text, and the field that says it. */
  scheduleText(given: Given): { field: string; text: string | null } {
    const isGiven = (name: string): boolean => (given[name] ?? null) !== null;
    const [field = 'schedule', other] = ['schedule', 'every', 'at'].filter(isGiven);
    const value = given[field] ?? null;
    if (other !== undefined) {
      this.fail(other, `a job has one of schedule, every and at; it has ${field} already`);
    }
    const text = value === null ? null : textOf(field, value);
    if (text !== undefined) return { field, text };
    this.fail(field, `expected ${RIGHT_TEXTS[field]}, got ${show(value)}`);
    return { field, text: null };
  }

  overlap(value: unknown): Overlap {
    if (value === undefined) return 'skip';
    if (value === 'skip' || value === 'queue' || value === 'replace') return value;
    if (isObject(value)) {
      const given = this.object('overlap', value) ?? {};
      if (given['allow'] === undefined) this.fail('overlap.allow', 'expected how many, such as 2');
      const allow = this.whole('overlap.allow', given['allow'], 1, { min: 1, max: LIMITS.allow });
      return { allow };
    }
    this.fail('overlap', `expected skip, queue, replace or { allow: n }, got ${show(value)}`);
    return 'skip';
  }

  catchUp(value: unknown): CatchUp {
    const given = value === undefined ? {} : (this.object('catchUp', value) ?? {});
    const runs = value === undefined ? 'latest' : given['runs'];
    const ok = runs === 'none' || runs === 'latest' || runs === 'all';
    if (!ok && isObject(value)) {
      this.fail('catchUp.runs', `expected none, latest or all, got ${show(runs)}`);
    }
    return {
      runs: ok ? runs : 'latest',
      withinMs: this.duration('catchUp.within', given['within'], HOUR_MS, { min: 1 }),
      max: this.whole('catchUp.max', given['max'], 10, { min: 1, max: LIMITS.max }),
    };
  }

  retry(value: unknown, attempts: number): RetryPolicy {
    const given = value === undefined ? {} : (this.object('retry', value) ?? {});
    const backoff =
      given['backoff'] === undefined ? {} : (this.object('retry.backoff', given['backoff']) ?? {});
    const at = (key: string): string => `retry.backoff.${key}`;
    const fromMs = this.duration(at('from'), backoff['from'], 10_000, { min: 0 });
    const toMs = this.duration(at('to'), backoff['to'], Math.max(fromMs, 300_000), { min: 0 });
    if (toMs < fromMs) this.fail(at('to'), `is ${toMs} ms, shorter than from (${fromMs} ms)`);
    return {
      attempts: this.whole('retry.attempts', given['attempts'], attempts, {
        min: 1,
        max: LIMITS.attempts,
      }),
      backoff: {
        fromMs,
        factor: this.number(at('factor'), backoff['factor'], 2, { min: 1, max: 100 }),
        toMs,
        jitter: this.number(at('jitter'), backoff['jitter'], 0.1, { min: 0, max: 1 }),
      },
    };
  }

  onLost(value: unknown, retry: unknown): 'fail' | 'retry' {
    if (value === undefined || value === 'fail') return 'fail';
    if (value !== 'retry') {
      this.fail('onLost', `expected fail or retry, got ${show(value)}`);
      return 'fail';
    }
    if (isObject(retry) && retry['attempts'] === 1) {
      this.fail('onLost', 'retry needs retry.attempts of at least 2, as the lost one counts');
    }
    return 'retry';
  }

  isolate(value: unknown): Job['isolate'] {
    if (value === undefined || value === false) return null;
    if (value === true) return { memoryMb: ISOLATED_MB };
    if (!isObject(value)) {
      this.fail(
        'isolate',
        `expected true, false or { memoryMb: ${ISOLATED_MB} }, got ${show(value)}`,
      );
      return null;
    }
    const { memoryMb } = this.object('isolate', value) ?? {};
    const bounds = { min: 32, max: 65_536 };
    return { memoryMb: this.whole('isolate.memoryMb', memoryMb, ISOLATED_MB, bounds) };
  }

  duration(field: string, value: unknown, preset: number, bounds: Bounds): number {
    if (value === undefined) return preset;
    const ms = parseDuration(value);
    if (ms === undefined) {
      this.fail(field, `expected a duration such as "10m" or milliseconds, got ${show(value)}`);
      return preset;
    }
    return this.within(field, ms, preset, bounds, ' ms');
  }

  whole(field: string, value: unknown, preset: number, bounds: Bounds): number {
    if (value === undefined || Number.isInteger(value)) {
      return this.number(field, value, preset, bounds);
    }
    this.fail(field, `expected a whole number, got ${show(value)}`);
    return preset;
  }

  number(field: string, value: unknown, preset: number, bounds: Bounds): number {
    if (value === undefined) return preset;
    if (typeof value === 'number' && !Number.isNaN(value)) {
      return this.within(field, value, preset, bounds, '');
    }
    this.fail(field, `expected a number, got ${show(value)}`);
    return preset;
  }

  within(field: string, value: number, preset: number, bounds: Bounds, unit: string): number {
    const { min, max = Infinity } = bounds;
    if (value >= min && value <= max) return value;
    const right = max === Infinity ? `at least ${min}${unit}` : `${min} to ${max}${unit}`;
    this.fail(field, `is ${value}${unit}; right would be ${right}`);
    return preset;
  }

  validator(field: 'input' | 'output', value: unknown): StandardSchemaV1 | undefined {
    if (value === undefined || isStandardSchema(value)) return value;
    this.fail(field, 'expected a Standard Schema validator, such as one of valibot or zod');
    return undefined;
  }

  run(value: unknown): Handler {
    if (isHandler(value)) return value;
    this.fail('run', `expected the handler or a function that imports it, got ${show(value)}`);
    return () => undefined;
  }
}

const RIGHT_TEXTS: Readonly<Record<string, string>> = {
  schedule: 'cron text such as "0 2 * * *", or a list of such texts',
  every: 'a duration such as "15m" or milliseconds',
  at: 'a date and time such as "2027-03-01T18:00" on the clock of the time zone',
};

/** A setting as it stands on record: several cron texts in one, a period in its largest unit. */
function textOf(field: string, value: unknown): string | undefined {
  if (field === 'every') {
    const ms = parseDuration(value);
    return ms === undefined ? undefined : `every ${durationText(ms)}`;
  }
  if (typeof value === 'string') return field === 'at' ? `at ${value}` : value;
  if (field === 'at' || !Array.isArray(value) || value.length === 0) return undefined;
  const texts = value.filter((text) => typeof text === 'string');
  return texts.length === value.length ? texts.join('; ') : undefined;
}

interface Bounds {
  readonly min: number;
  readonly max?: number;
}

const isObject = (value: unknown): value is Given =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isHandler = (value: unknown): value is Handler => typeof value === 'function';

/** ArkType's and others' schemas are functions, so a type of object is not asked for. */
function isStandardSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  try {
    const standard: unknown = Reflect.get(value, '~standard');
    return isObject(standard) && typeof standard['validate'] === 'function';
  } catch {
    return false;
  }
}

/** A Proxy may not even want to say what it has. */
function keysOf(value: object): string[] {
  try {
    return Object.keys(value);
  } catch {
    return [];
  }
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return String(value);
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 80);
  } catch {
    return 'something that is not JSON';
  }
}
