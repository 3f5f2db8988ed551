import { resolve } from 'node:path';
import { LOG_LEVELS, type LogLevel } from './observe/log.ts';
import { ENDING_MS } from './core/carrier.ts';
import { Cipher, SECRET_KEYS } from './core/secrets/cipher.ts';
import { paceOf, type Pace } from './core/spacing.ts';
import { timing, type Timing } from './core/time.ts';
import { readAccess, type AccessConfig } from './config-access.ts';
import { readAlerts, type AlertConfig } from './config-alerts.ts';
import { defaultBuild } from './process/identity.ts';
import { Reader, type Env } from './environment.ts';

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
  /** Who may look, and who may change things. */
  readonly access: AccessConfig;
  /** Who is told of what went wrong; null for nobody. */
  readonly alerts: AlertConfig | null;
  /** Encrypts the secrets of inputs; null where no key is set. */
  readonly cipher: Cipher | null;
  /** Absolute, or `:memory:`. */
  readonly db: string;
  /** Whether SQLite waits for the disk at each commit; else a power cut takes some back. */
  readonly durability: 'full' | 'normal';
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
  const preset = onGoogle ? '0.0.0.0' : '127.0.0.1';
  const host = read.text('HOST', preset, /^[\w.:-]{1,255}$/, 'an address');
  const config: Config = {
    port: read.whole('PORT', 8080, 0, 65_535),
    host,
    store,
    firestore: {
      project: read.maybe('GOOGLE_CLOUD_PROJECT', PROJECT, 'the id of a Google Cloud project'),
      database: read.text('PUNCTUAL_FIRESTORE_DATABASE', '(default)', DATABASE, 'a database id'),
      emulator: read.address('FIRESTORE_EMULATOR_HOST'),
    },
    google,
    access: readAccess(read, { host, google }),
    alerts: readAlerts(read),
    cipher: readCipher(read),
    db: db === ':memory:' ? db : resolve(cwd, db),
    durability: read.oneOf('PUNCTUAL_DURABILITY', 'full', ['full', 'normal']),
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

function readCipher(read: Reader): Cipher | null {
  const right =
    'one or several keys of 32 bytes between commas, each as 64 hex digits or in base64, as ' +
    '`npm run -s secret-key` prints one';
  const keys = read.secret('PUNCTUAL_SECRET_KEY', SECRET_KEYS, right);
  return keys === null ? null : new Cipher(keys);
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
