import { resolve } from 'node:path';
import { LOG_LEVELS, type LogLevel } from './observe/log.ts';
import { ENDING_MS } from './core/carrier.ts';
import { paceOf, type Pace } from './core/spacing.ts';
import { timing, type Timing } from './core/time.ts';
import { defaultBuild } from './process/identity.ts';

/** Everything that the environment may set, read once. `.env.example` documents each. */
export interface Config {
  readonly port: number;
  readonly host: string;
  readonly store: 'sqlite' | 'firestore';
  /** Which Firestore. */
  readonly firestore: {
    /** Null: the one of the machine's own credentials. */
    readonly project: string | null;
    readonly database: string;
    /** `host:port` of an emulator; null for the real one. */
    readonly emulator: string | null;
  };
  readonly google: GoogleConfig;
  /** Absolute, or `:memory:`. */
  readonly db: string;
  /** Absolute path of the module whose default export lists the jobs. */
  readonly jobs: string;
  readonly namespace: string;
  readonly build: string;
  readonly timing: Timing;
  /** Who wakes the service: itself, by its timer, or only triggers from outside. */
  readonly wake: 'timer' | 'tick';
  /** What the store and the wake-ups allow of schedules. */
  readonly pace: Pace;
  readonly maxRunning: number;
  readonly logLevel: LogLevel;
}

/** What Google Cloud has to do with the service; null where it is not said. */
export interface GoogleConfig {
  /** Where the process runs; null on a machine of one's own. */
  readonly platform: 'app-engine' | 'cloud-run' | null;
  /** The region of Cloud Scheduler and Cloud Tasks, such as `europe-west1`. */
  readonly location: string | null;
  /** Where triggers are sent, and the audience of their tokens: `https://punctual.example.com`. */
  readonly serviceUrl: string | null;
  /** The service account that Cloud Scheduler's triggers bear, and the one of Cloud Tasks'. */
  readonly schedulerAccount: string | null;
  readonly tasksAccount: string | null;
  /** The queue that runs are sent through; null for none. */
  readonly tasksQueue: string | null;
  /** `host:port` of a program that plays Cloud Scheduler; null for the real one. */
  readonly schedulerEndpoint: string | null;
  readonly tasksEndpoint: string | null;
  /** How long a request may take before the platform ends it. */
  readonly requestDeadlineMs: number;
}

/** Everything that is wrong in the environment, each line ready to be shown. */
export class ConfigProblems extends Error {
  override readonly name = 'ConfigProblems';
}

type Env = Readonly<Record<string, string | undefined>>;

/** Reads the configuration, or throws `ConfigProblems` with all of its problems at once. */
export function readConfig(env: Env, cwd: string, now: number): Config {
  const read = new Reader(env);
  const onGoogle = env['GAE_ENV'] !== undefined || env['K_SERVICE'] !== undefined;
  const db = read.text('PUNCTUAL_DB', '.data/punctual.db', /^.{1,4096}$/, 'a path');
  const jobs = read.text('PUNCTUAL_JOBS', 'jobs/index.ts', /^.{1,4096}$/, 'a path');
  const name = 'letters, digits, dots, hyphens and underscores';
  const stores = ['sqlite', 'firestore'] as const;
  // What an instance there has on its disk is gone with it.
  const store = read.oneOf('PUNCTUAL_STORE', onGoogle ? 'firestore' : 'sqlite', stores);
  // An instance there has no CPU outside a request, so a timer would fire when it likes.
  const wake = read.oneOf('PUNCTUAL_WAKE', onGoogle ? 'tick' : 'timer', ['timer', 'tick']);
  const tickMs = read.whole('PUNCTUAL_TICK_MS', 60_000, 100, 3_600_000);
  const leaseMs = read.whole('PUNCTUAL_LEASE_MS', 90_000, 2000, 3_600_000);
  const times = timing({ leaseMs, tickMs });
  const google = readGoogle(read, env);
  const config: Config = {
    port: read.whole('PORT', 8080, 0, 65_535),
    host: read.text('HOST', onGoogle ? '0.0.0.0' : '127.0.0.1', /^[\w.:-]{1,255}$/, 'an address'),
    store,
    firestore: {
      project: read.maybe('GOOGLE_CLOUD_PROJECT', PROJECT, 'the id of a Google Cloud project'),
      database: read.text('PUNCTUAL_FIRESTORE_DATABASE', '(default)', DATABASE, 'a database id'),
      emulator: read.address('FIRESTORE_EMULATOR_HOST'),
    },
    google,
    db: db === ':memory:' ? db : resolve(cwd, db),
    // The sample jobs lie beside the server, wherever it is started from.
    jobs: env['PUNCTUAL_JOBS'] ? resolve(cwd, jobs) : resolve(import.meta.dirname, '..', jobs),
    namespace: read.text('PUNCTUAL_NAMESPACE', 'default', /^[\w.-]{1,63}$/, name),
    build: read.text('PUNCTUAL_BUILD', defaultBuild(env, now), /^[\w.:+-]{1,128}$/, name),
    timing: times,
    wake,
    pace: {
      ...paceOf(store, wake === 'tick' ? tickMs : null),
      carries: wake === 'tick' ? carries(google, times) : null,
    },
    maxRunning: read.whole('PUNCTUAL_MAX_RUNNING', 64, 1, 10_000),
    logLevel: read.oneOf('PUNCTUAL_LOG_LEVEL', 'info', LOG_LEVELS),
  };
  read.unknown();
  if (read.problems.length > 0) throw new ConfigProblems(read.problems.join('\n'));
  return config;
}

/** Cloud Scheduler and Cloud Tasks wait for no answer over HTTP longer than this. */
const LONGEST_REQUEST_MS = 1_800_000;

/** How long a run may take that a request carries: a tick's, or one of the job's own. */
function carries(google: GoogleConfig, { tickCarriesMs }: Timing): Pace['carries'] {
  if (google.schedulerAccount === null && google.tasksQueue === null) {
    const how = 'set PUNCTUAL_SCHEDULER_ACCOUNT or PUNCTUAL_TASKS_QUEUE for longer ones';
    return { ms: tickCarriesMs, why: `only the tick carries runs here (${how})` };
  }
  const ms = Math.min(google.requestDeadlineMs, LONGEST_REQUEST_MS) - 2 * ENDING_MS;
  return { ms, why: 'a run must be over before its request is ended here' };
}

function readGoogle(read: Reader, env: Env): GoogleConfig {
  const account = /^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.[a-z]{2,}$/;
  const mail = 'the e-mail of a service account';
  const platform =
    env['GAE_ENV'] !== undefined
      ? 'app-engine'
      : env['K_SERVICE'] !== undefined
        ? 'cloud-run'
        : null;
  // App Engine's with automatic scaling, and Cloud Run's unless it is set otherwise.
  const deadlineMs = platform === 'cloud-run' ? 300_000 : 600_000;
  const url = /^https:\/\/[a-z0-9.-]{1,253}$|^http:\/\/(?:localhost|127\.0\.0\.1)(?::\d{1,5})?$/;
  const google: GoogleConfig = {
    platform,
    location: read.maybe('PUNCTUAL_LOCATION', /^[a-z]+-[a-z]+\d+$/, 'such as europe-west1'),
    serviceUrl: read.maybe('PUNCTUAL_SERVICE_URL', url, 'such as https://punctual.example.com'),
    schedulerAccount: read.maybe('PUNCTUAL_SCHEDULER_ACCOUNT', account, mail),
    tasksAccount: read.maybe('PUNCTUAL_TASKS_ACCOUNT', account, mail),
    tasksQueue: read.maybe('PUNCTUAL_TASKS_QUEUE', /^[A-Za-z0-9-]{1,100}$/, 'the id of a queue'),
    tasksEndpoint: read.address('PUNCTUAL_TASKS_ENDPOINT'),
    schedulerEndpoint: read.address('PUNCTUAL_SCHEDULER_ENDPOINT'),
    requestDeadlineMs: read.whole('PUNCTUAL_REQUEST_DEADLINE_MS', deadlineMs, 10_000, 86_400_000),
  };
  read.problems.push(...halfSet(google));
  return google;
}

/** What is set makes sense only with the rest of it. */
function halfSet(google: GoogleConfig): string[] {
  const { serviceUrl, location, schedulerAccount, tasksAccount, tasksQueue } = google;
  const needs = (what: string, missing: Readonly<Record<string, string | null>>): string[] =>
    Object.entries(missing).flatMap(([name, value]) =>
      value === null ? [`${what} is set, and needs ${name}`] : [],
    );
  return [
    ...(schedulerAccount !== null
      ? needs('PUNCTUAL_SCHEDULER_ACCOUNT', { PUNCTUAL_SERVICE_URL: serviceUrl })
      : []),
    ...(tasksQueue !== null
      ? needs('PUNCTUAL_TASKS_QUEUE', {
          PUNCTUAL_SERVICE_URL: serviceUrl,
          PUNCTUAL_LOCATION: location,
          PUNCTUAL_TASKS_ACCOUNT: tasksAccount,
        })
      : []),
  ];
}

/** Of old some had a domain before them: `example.com:shop`. */
const PROJECT = /^(?:[a-z][a-z0-9.-]{0,62}:)?[a-z][a-z0-9-]{0,62}$/;
const DATABASE = /^(?:\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$/;

/** Reads variables one by one, and collects what is wrong with any of them. */
class Reader {
  readonly problems: string[] = [];
  readonly #env: Env;
  readonly #known = new Set<string>();

  constructor(env: Env) {
    this.#env = env;
  }

  text(name: string, preset: string, form: RegExp, right: string): string {
    const value = this.#get(name);
    if (value === undefined || form.test(value)) return value ?? preset;
    return this.#fail(name, value, `${right}, such as "${preset}"`, preset);
  }

  /** Null where it is not set. */
  maybe(name: string, form: RegExp, right: string): string | null {
    const value = this.#get(name);
    if (value === undefined || form.test(value)) return value ?? null;
    return this.#fail(name, value, right, null);
  }

  /** Where another program is: `host:port`. */
  address(name: string): string | null {
    return this.maybe(name, /^[\w.-]+:\d{1,5}$/, 'a host and port');
  }

  whole(name: string, preset: number, min: number, max: number): number {
    const value = this.#get(name);
    if (value === undefined) return preset;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    return this.#fail(name, value, `a whole number from ${min} to ${max}`, preset);
  }

  oneOf<Choice extends string>(name: string, preset: Choice, all: readonly Choice[]): Choice {
    const value = this.#get(name);
    const found = all.find((choice) => choice === (value ?? preset));
    return found ?? this.#fail(name, value ?? '', `one of ${all.join(', ')}`, preset);
  }

  /** A misspelt variable would otherwise be ignored without a word. */
  unknown(): void {
    for (const name of Object.keys(this.#env)) {
      if (!name.startsWith('PUNCTUAL_') || this.#known.has(name) || CLIENT.has(name)) continue;
      const known = [...this.#known].filter((one) => one.startsWith('PUNCTUAL_'));
      this.problems.push(`${name} is not known; known are ${known.join(', ')}`);
    }
  }

  /** An empty variable counts as not set. */
  #get(name: string): string | undefined {
    this.#known.add(name);
    return this.#env[name] === '' ? undefined : this.#env[name];
  }

  #fail<Value>(name: string, value: string, right: string, preset: Value): Value {
    this.problems.push(`${name} is "${value.slice(0, 100)}"; right would be ${right}`);
    return preset;
  }
}

/** Read by the command line, or given to a job's command. */
const CLIENT = new Set(['PUNCTUAL_URL', 'PUNCTUAL_RUN_ID', 'PUNCTUAL_FENCE']);
