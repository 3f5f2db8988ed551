import { CloudSchedulerClient, type protos } from '@google-cloud/scheduler';
import { isUtc } from '../core/zone.ts';
import { failureOf, grpc, PASSING, secondsOf, standIn } from '../google.ts';
import {
  SchedulerError,
  type Scheduler,
  type SchedulerJob,
  type SchedulerSettings,
  type SchedulerState,
  type Setting,
} from './scheduler-job.ts';

/*
 * Google's client, behind our own small interface. Each call is made once, in a stated time: its
 * own retries go on for ten minutes, for some calls and not for others, and tell nobody.
 */

type GoogleJob = protos.google.cloud.scheduler.v1.IJob;
type Length = protos.google.protobuf.IDuration | null | undefined;

export interface SchedulerPlace {
  readonly project: string;
  readonly location: string;
  /** `host:port` of a program that plays it; null for the real one. */
  readonly endpoint: string | null;
  /** The service account whose tokens its requests bear: whoever sets it must be allowed to. */
  readonly account: string;
}

const CALL_MS = 20_000;
/** Never so many pages of 500 in one region: the quota is 5,000 jobs. */
const PAGES_LIMIT = 100;
const ONCE = { timeout: CALL_MS, retry: null };

/** Connects when first asked, and not before. */
export class CloudScheduler implements Scheduler {
  readonly place: string;
  readonly #client: CloudSchedulerClient;
  readonly #of: SchedulerPlace;
  readonly #parent: string;

  constructor(of: SchedulerPlace) {
    this.#of = of;
    this.#client = new CloudSchedulerClient({
      projectId: of.project,
      ...(of.endpoint !== null && standIn(of.endpoint)),
    });
    this.#parent = `projects/${of.project}/locations/${of.location}`;
    this.place = `Cloud Scheduler of ${of.project}, ${of.location}`;
  }

  async list(): Promise<SchedulerJob[]> {
    const found: SchedulerJob[] = [];
    let pageToken = '';
    for (let page = 0; page < PAGES_LIMIT; page += 1) {
      const request = { parent: this.#parent, pageSize: 500, pageToken };
      const reply = await this.#call('list', this.#parent, () =>
        this.#client.listJobs(request, { ...ONCE, autoPaginate: false }),
      );
      if (reply === undefined) throw new SchedulerError('refused', this.#noSuchPlace());
      const [jobs, , raw] = reply;
      found.push(...jobs.map(ourForm));
      pageToken = raw?.nextPageToken ?? '';
      if (pageToken === '') return found;
    }
    throw new SchedulerError('refused', `${this.place} does not end its list of jobs`);
  }

  async create(id: string, settings: SchedulerSettings): Promise<boolean> {
    const job = this.#googleForm(id, settings);
    const request = { parent: this.#parent, job };
    return await this.#won('create', id, () => this.#client.createJob(request, ONCE));
  }

  async update(
    id: string,
    settings: SchedulerSettings,
    named: readonly Setting[],
  ): Promise<boolean> {
    const job = this.#googleForm(id, settings);
    const paths = [...new Set(named.map((setting) => MASK[setting]))];
    const request = { job, updateMask: { paths } };
    return await this.#won('update', id, () => this.#client.updateJob(request, ONCE));
  }

  async pause(id: string): Promise<boolean> {
    const request = { name: this.#nameOf(id) };
    return await this.#won('pause', id, () => this.#client.pauseJob(request, ONCE));
  }

  async resume(id: string): Promise<boolean> {
    const request = { name: this.#nameOf(id) };
    return await this.#won('resume', id, () => this.#client.resumeJob(request, ONCE));
  }

  async run(id: string): Promise<boolean> {
    const request = { name: this.#nameOf(id) };
    return await this.#won('run', id, () => this.#client.runJob(request, ONCE));
  }

  async delete(id: string): Promise<boolean> {
    const request = { name: this.#nameOf(id) };
    return await this.#won('delete', id, () => this.#client.deleteJob(request, ONCE));
  }

  async close(): Promise<void> {
    // It tells once more why it was never connected, which the calls have told.
    await this.#client.close().catch(() => undefined);
  }

  #nameOf(id: string): string {
    return `${this.#parent}/jobs/${id}`;
  }

  #noSuchPlace(): string {
    const { location, project } = this.#of;
    return `there is no ${location} in ${project}: are PUNCTUAL_LOCATION and the project right?`;
  }

  async #won(what: string, id: string, call: () => Promise<unknown>): Promise<boolean> {
    return (await this.#call(what, id, call)) !== undefined;
  }

  /** Undefined where the job was not as expected. */
  async #call<Reply>(
    what: string,
    id: string,
    call: () => Promise<Reply>,
  ): Promise<Reply | undefined> {
    try {
      return await call();
    } catch (error) {
      const { code = NaN, detail } = failureOf(error);
      if (isLost(what, code)) return undefined;
      const of = what === 'list' ? this.place : id;
      if (PASSING.has(code)) {
        throw new SchedulerError('passing', `${what} ${of}: no answer: ${detail}`);
      }
      const refused = refusal(code, detail, this.#of);
      if (refused !== undefined) {
        const message = `${what} ${of}: ${refused}\nCloud Scheduler says: ${detail}`;
        throw new SchedulerError('refused', message);
      }
      // Without a code it is no answer of Cloud Scheduler's.
      if (Number.isNaN(code)) throw error;
      throw new SchedulerError('invalid', `${what} ${of}: ${detail}`);
    }
  }

  #googleForm(id: string, settings: SchedulerSettings): GoogleJob {
    const { account, audience } = settings;
    return {
      name: this.#nameOf(id),
      description: settings.description,
      schedule: settings.schedule,
      timeZone: settings.timeZone === 'UTC' ? 'Etc/UTC' : settings.timeZone,
      httpTarget: {
        uri: settings.url,
        httpMethod: 'POST', // the only one that is ever wanted
        oidcToken: { serviceAccountEmail: account, audience },
      },
      attemptDeadline: secondsOf(settings.deadlineMs),
      retryConfig: {
        retryCount: settings.retries,
        maxRetryDuration: secondsOf(settings.retryForMs),
        minBackoffDuration: secondsOf(settings.retryFromMs),
        maxBackoffDuration: secondsOf(settings.retryToMs),
        maxDoublings: settings.retryDoublings,
      },
    };
  }
}

/** What Google calls the part of a job that has a setting. A part is sent and replaced whole. */
const MASK: Readonly<Record<Setting, string>> = {
  description: 'description',
  schedule: 'schedule',
  timeZone: 'time_zone',
  url: 'http_target',
  method: 'http_target',
  account: 'http_target',
  audience: 'http_target',
  deadlineMs: 'attempt_deadline',
  retries: 'retry_config',
  retryForMs: 'retry_config',
  retryFromMs: 'retry_config',
  retryToMs: 'retry_config',
  retryDoublings: 'retry_config',
};

const { status } = grpc;

function isLost(what: string, code: number): boolean {
  if (what === 'create') return code === status.ALREADY_EXISTS;
  if (code === status.NOT_FOUND) return true;
  // Cloud Scheduler pauses only what is enabled, and resumes only what is paused.
  return code === status.FAILED_PRECONDITION && /^(?:pause|resume)$/.test(what);
}

/** What to do about a refusal that all calls would meet; undefined where it is about one job. */
function refusal(code: number, detail: string, { project, account }: SchedulerPlace) {
  if (/default credentials/i.test(detail)) {
    return 'no credentials are found here: gcloud auth application-default login makes some';
  }
  if (code === status.UNAUTHENTICATED) return 'does not know who asks: are the credentials right?';
  if (code !== status.PERMISSION_DENIED) return undefined;
  if (/has not been used|is disabled|SERVICE_DISABLED/i.test(detail)) {
    const enable = `gcloud services enable cloudscheduler.googleapis.com --project=${project}`;
    return `the service is not enabled in the project: ${enable}`;
  }
  if (/actAs|act as/i.test(detail)) {
    const role = 'Service Account User (roles/iam.serviceAccountUser)';
    return `not allowed. Whoever runs this needs the role ${role} on ${account}`;
  }
  const role = 'Cloud Scheduler Admin (roles/cloudscheduler.admin)';
  const view = 'for the plan alone, Cloud Scheduler Viewer (roles/cloudscheduler.viewer)';
  return `not allowed. Whoever runs this needs the role ${role} in ${project}; ${view}`;
}

function ourForm(job: GoogleJob): SchedulerJob {
  const { httpTarget, retryConfig } = job;
  const zone = job.timeZone ?? '';
  return {
    id: (job.name ?? '').split('/').at(-1) ?? '',
    state: stateOf(String(job.state)),
    settings: {
      description: job.description ?? '',
      schedule: job.schedule ?? '',
      timeZone: zone === '' || isUtc(zone) ? 'UTC' : zone,
      url: httpTarget?.uri ?? '',
      method: String(httpTarget?.httpMethod ?? ''),
      account: httpTarget?.oidcToken?.serviceAccountEmail ?? '',
      audience: httpTarget?.oidcToken?.audience ?? '',
      deadlineMs: msOf(job.attemptDeadline),
      retries: retryConfig?.retryCount ?? 0,
      retryForMs: msOf(retryConfig?.maxRetryDuration),
      retryFromMs: msOf(retryConfig?.minBackoffDuration),
      retryToMs: msOf(retryConfig?.maxBackoffDuration),
      retryDoublings: retryConfig?.maxDoublings ?? 0,
    },
  };
}

function stateOf(state: string): SchedulerState {
  switch (state) {
    case 'PAUSED':
      return 'paused';
    case 'DISABLED':
      return 'disabled';
    case 'UPDATE_FAILED':
      return 'update-failed';
    default:
      return 'enabled';
  }
}

const msOf = (length: Length): number =>
  Number(length?.seconds ?? 0) * 1000 + Number(length?.nanos ?? 0) / 1_000_000;
