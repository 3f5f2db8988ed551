import { createRequire } from 'node:module';
import grpc from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { listen } from '../grpc.ts';

/**
 * Plays Cloud Scheduler: a gRPC server made from the client's own protos, with the service's
 * documented rules. What is not documented (what DISABLED takes to run again) it does not do.
 */
export interface FakeScheduler {
  /** `host:port`. */
  readonly address: string;
  /** By id, as Google has them. */
  readonly jobs: Map<string, FakeJob>;
  /** Every call that came, such as `createJob punctual-default-tick`. */
  readonly calls: string[];
  /** The paths of every update mask that came. */
  readonly masks: string[][];
  /** The most jobs of a page, whatever is asked for. */
  pageLimit: number;
  /** Called before each call; what it throws is the answer. */
  before: (method: string, id: string) => void;
  /** Called after each call was carried out; what it throws is the answer all the same. */
  afterwards: (method: string, id: string) => void;
}

export interface FakeJob {
  name: string;
  description: string;
  schedule: string;
  timeZone: string;
  state: string;
  target: string;
  httpTarget: {
    uri: string;
    httpMethod: string;
    headers: Record<string, string>;
    oidcToken: { serviceAccountEmail: string; audience: string } | null;
  } | null;
  attemptDeadline: { seconds: string; nanos: number } | null;
  retryConfig: { retryCount: number } | null;
}

export const PARENT = 'projects/shop/locations/europe-west1';

export class Refusal extends Error {
  readonly code: number;
  readonly details: string;

  constructor(code: keyof typeof grpc.status, details: string) {
    super(details);
    this.code = grpc.status[code] as number;
    this.details = details;
  }
}

const json = createRequire(import.meta.url)('@google-cloud/scheduler/build/protos/protos.json');

/** Starts one that ends with the test. */
export async function fakeScheduler(): Promise<FakeScheduler> {
  const fake = {
    address: '',
    jobs: new Map<string, FakeJob>(),
    calls: [],
    masks: [],
    pageLimit: 500,
    before: () => undefined,
    afterwards: () => undefined,
  } as Omit<FakeScheduler, 'address'> & { address: string };
  const server = new grpc.Server();
  server.addService(service(), handlers(fake));
  fake.address = await listen(server);
  return fake;
}

function service(): grpc.ServiceDefinition {
  const options = { longs: String, enums: String, oneofs: true, defaults: false };
  const loaded: any = grpc.loadPackageDefinition(fromJSON(json, options));
  return loaded.google.cloud.scheduler.v1.CloudScheduler.service;
}

type Handler = grpc.handleUnaryCall<any, unknown>;

function handlers(fake: FakeScheduler): Record<string, Handler> {
  const { jobs } = fake;
  const find = (name: string): FakeJob => {
    const found = jobs.get(idOf(name));
    if (found === undefined) throw new Refusal('NOT_FOUND', 'Job not found.');
    return found;
  };
  const change = (name: string, from: string, to: string): FakeJob => {
    const job = find(name);
    if (job.state !== from) throw new Refusal('FAILED_PRECONDITION', `Job is not ${from}.`);
    return Object.assign(job, { state: to });
  };
  const does: Record<string, (request: any) => unknown> = {
    listJobs({ parent, pageSize, pageToken }) {
      if (parent !== PARENT) throw new Refusal('NOT_FOUND', `Location '${parent}' not found.`);
      const [from, limit] = [Number(pageToken || 0), Math.min(pageSize || 500, fake.pageLimit)];
      const page = [...jobs.values()].slice(from, from + limit);
      const more = from + limit < jobs.size;
      return { jobs: page, nextPageToken: more ? `${from + limit}` : '' };
    },
    createJob({ job }) {
      if (jobs.has(idOf(job.name))) throw new Refusal('ALREADY_EXISTS', 'Job already exists.');
      const made = { description: '', ...checked(job), state: 'ENABLED' };
      made.httpTarget.headers = { 'User-Agent': 'Google-Cloud-Scheduler' };
      jobs.set(idOf(job.name), made);
      return made;
    },
    updateJob({ job, updateMask }) {
      const found = find(job.name);
      const paths: string[] = updateMask?.paths ?? [];
      fake.masks.push(paths);
      const unknown = paths.filter((path) => !CHANGED_BY.has(path));
      if (paths.length === 0 || unknown.length > 0) {
        throw new Refusal('INVALID_ARGUMENT', `Mask names ${unknown.join(' ')}`);
      }
      const named = paths.map((path) => CHANGED_BY.get(path) ?? '');
      const part = Object.fromEntries(named.map((key) => [key, job[key]]));
      checked({ ...found, ...part });
      const state = found.state === 'UPDATE_FAILED' ? 'ENABLED' : found.state;
      return Object.assign(found, part, { state });
    },
    deleteJob({ name }) {
      find(name);
      jobs.delete(idOf(name));
      return {};
    },
    pauseJob: ({ name }) => change(name, 'ENABLED', 'PAUSED'),
    resumeJob: ({ name }) => change(name, 'PAUSED', 'ENABLED'),
    runJob: ({ name }) => find(name),
  };
  return Object.fromEntries(
    Object.entries(does).map(([method, act]): [string, Handler] => [
      method,
      (call, answer) => {
        const id = idOf(call.request.name ?? call.request.job?.name ?? call.request.parent);
        fake.calls.push(`${method} ${id}`);
        try {
          fake.before(method, id);
          const reply = act(call.request);
          fake.afterwards(method, id);
          answer(null, reply);
        } catch (error) {
          answer(error as grpc.ServiceError);
        }
      },
    ]),
  );
}

const CHANGED_BY = new Map([
  ['description', 'description'],
  ['schedule', 'schedule'],
  ['time_zone', 'timeZone'],
  ['http_target', 'httpTarget'],
  ['attempt_deadline', 'attemptDeadline'],
  ['retry_config', 'retryConfig'],
]);

const idOf = (name: string): string => name.split('/').at(-1) ?? '';

const ITEM = String.raw`(?:\*|\d+(?:-\d+)?)(?:\/\d+)?`;
const FIELD = String.raw`${ITEM}(?:,${ITEM})*`;
const CRON = new RegExp(String.raw`^${FIELD}(?: ${FIELD}){4}$`);

function checked(job: any): any {
  const refuse = (what: string): never => {
    throw new Refusal('INVALID_ARGUMENT', `${what} is invalid.`);
  };
  const { description = '', schedule, attemptDeadline, retryConfig, httpTarget } = job;
  if (!/^[A-Za-z0-9_-]{1,500}$/.test(idOf(job.name))) refuse('Job ID');
  if (description.length > 500) refuse('Description');
  if (!CRON.test(schedule)) refuse(`Schedule "${schedule}"`);
  const deadline = Number(attemptDeadline?.seconds ?? 180);
  if (deadline < 15 || deadline > 1800) refuse('Deadline');
  if ((retryConfig?.retryCount ?? 0) > 5) refuse('Retry count');
  if (httpTarget?.oidcToken && httpTarget.uri.startsWith('http:')) refuse('Target with OIDC');
  return job;
}
