import { setTimeout as wait } from 'node:timers/promises';
import type { Run } from '../../server/core/records.ts';
import { manualRunId } from '../../server/core/ids.ts';
import type { Random } from '../simulation/random.ts';
import type { Fleet } from './fleet.ts';

/** People who ask servers for runs, cancels and pauses, and remember what they were answered. */

export interface Answer {
  readonly status: number;
  readonly id: string | undefined;
}

export interface Asked {
  /** Answers by key, and the job that each key is for. */
  readonly runs: ReadonlyMap<string, { readonly job: string; readonly answers: Answer[] }>;
  /** Runs whose cancel was accepted. */
  readonly cancelled: readonly string[];
  /** The job was surely paused from one instant until another. */
  readonly pauses: readonly { readonly job: string; readonly from: number; readonly to: number }[];
  /** Answers that none of these requests should get. */
  readonly wrong: readonly string[];
}

interface Asking {
  readonly fleet: Fleet;
  readonly random: Random;
  readonly runs: Map<string, { readonly job: string; readonly answers: Answer[] }>;
  readonly cancelled: string[];
  readonly pauses: { job: string; from: number; to: number }[];
  readonly wrong: string[];
  readonly pausing: Set<string>;
}

/** Asks for so long, and waits for the last answer. `calm` is called when it is over. */
export async function askFor(
  fleet: Fleet,
  options: { readonly ms: number; readonly jobs: number; readonly random: Random },
  calm: () => void,
): Promise<Asked> {
  const { ms, jobs, random } = options;
  const until = Date.now() + ms;
  const empty = {
    runs: new Map(),
    cancelled: [],
    pauses: [],
    wrong: [],
    pausing: new Set<string>(),
  };
  const asking: Asking = { fleet, random, ...empty };
  const open: Promise<void>[] = [];
  while (Date.now() < until) {
    await wait(random.between(20, 400));
    const job = `job-${random.below(jobs)}`;
    if (random.chance(0.2) && !asking.pausing.has(job)) open.push(pause(asking, job, until));
    else if (random.chance(0.3)) open.push(cancel(asking));
    else open.push(run(asking, job));
  }
  calm();
  await Promise.all(open);
  return asking;
}

async function run(asking: Asking, newFor: string): Promise<void> {
  const { runs, random } = asking;
  const again = random.chance(0.3) ? [...runs.keys()][random.below(runs.size)] : undefined;
  const key = again ?? `key-${runs.size}`;
  const { job, answers } = runs.get(key) ?? { job: newFor, answers: [] };
  runs.set(key, { job, answers });
  const headers = { 'Idempotency-Key': key };
  const path = `/api/v1/jobs/${job}/runs`;
  const times = random.pick(1, 1, 2, 3);
  const ask = () => send(asking, 'POST', path, [202, 409, 429, 503], headers);
  answers.push(...(await Promise.all(Array.from({ length: times }, ask))));
}

async function cancel(asking: Asking): Promise<void> {
  const { runs, random, cancelled } = asking;
  const ids = [...runs.values()].flatMap(({ answers }) => answers.flatMap(({ id }) => id ?? []));
  const id = random.pick(...ids.slice(-3), ...ids.slice(-1), '');
  if (id === '') return;
  const path = `/api/v1/runs/${encodeURIComponent(id)}/cancel`;
  const { status } = await send(asking, 'POST', path, [202, 409, 503]);
  if (status === 202) cancelled.push(id);
}

/** Pauses a job for some seconds, and does not rest until it goes on. */
async function pause(asking: Asking, job: string, until: number): Promise<void> {
  const { pausing, pauses, random } = asking;
  pausing.add(job);
  const path = `/api/v1/jobs/${job}/pause`;
  const paused = await send(asking, 'PUT', path, [200, 503]);
  const from = Date.now();
  await wait(Math.min(random.between(2000, 15_000), Math.max(0, until - from)));
  if (paused.status === 200) pauses.push({ job, from, to: Date.now() });
  while ((await send(asking, 'DELETE', path, [200, 503])).status !== 200) await wait(200);
  pausing.delete(job);
}

async function send(
  { fleet, random, wrong }: Asking,
  method: string,
  path: string,
  expected: readonly number[],
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { url } = random.pick(...fleet.servers);
  const answer = await fetch(url + path, { method, headers });
  const body = (await answer.json()) as { id?: string };
  const { status } = answer;
  if (!expected.includes(status)) {
    wrong.push(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
  }
  return { status, id: answer.ok ? body.id : undefined };
}

/** Where answers and records do not agree: promises 9, 11 and 12 of docs/guarantees.md. */
export function untrue({ runs: keys, cancelled, pauses, wrong }: Asked, runs: readonly Run[]) {
  const found = [...wrong];
  const byId = new Map(runs.map((one) => [one.id, one]));
  for (const [key, { job, answers }] of keys) {
    const ids = new Set(answers.flatMap(({ id }) => id ?? []));
    const id = manualRunId(job, key);
    if ([...ids].some((one) => one !== id)) found.push(`${key} is ${[...ids].join(' and ')}`);
    if (ids.size > 0 && !byId.has(id)) found.push(`${id} was promised, and is not on record`);
    const refused = answers.every(({ status }) => status >= 400 && status < 500);
    if (refused && byId.has(id)) found.push(`${id} was refused, and is on record`);
  }
  for (const id of cancelled) {
    const state = byId.get(id)?.state ?? 'not on record';
    if (!['cancelled', 'succeeded'].includes(state))
      found.push(`${id} was cancelled, and ${state}`);
  }
  for (const { id, job, trigger, scheduledAt, range } of runs) {
    if (trigger !== 'schedule' || range !== null || scheduledAt === null) continue;
    const within = pauses.some(
      (one) => one.job === job && one.from < scheduledAt && scheduledAt < one.to,
    );
    if (within) found.push(`${id} was started in a pause`);
  }
  return found;
}
