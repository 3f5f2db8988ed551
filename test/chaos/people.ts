import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../simulation/random.ts';
import type { Fleet } from './fleet.ts';
import { jobName } from './kinds.ts';

/** People who ask servers for runs, cancels and pauses, and remember what they were answered. */

export interface Answer {
  /** `NONE` where none came: nobody can say what became of the request. */
  readonly status: number;
  readonly id: string | undefined;
}

export const NONE = 0;

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
  readonly keys: string[];
  /** Runs that were asked for last. */
  readonly latest: string[];
  readonly cancelled: string[];
  readonly pauses: { job: string; from: number; to: number }[];
  readonly wrong: string[];
  readonly pausing: Set<string>;
  readonly over: AbortSignal;
}

/** So many of the runs asked for last may be cancelled. */
const LATEST = 3;

/** Asks until it is `over`, then ends all pauses, and waits for the last answer. */
export async function askUntil(over: AbortSignal, fleet: Fleet, random: Random): Promise<Asked> {
  const asking: Asking = {
    fleet,
    random,
    over,
    runs: new Map(),
    keys: [],
    latest: [],
    cancelled: [],
    pauses: [],
    wrong: [],
    pausing: new Set(),
  };
  const open = new Set<Promise<void>>();
  while (!over.aborted) {
    await unlessOver(asking, random.between(20, 400));
    const one = ask(asking).catch((error: unknown) => void asking.wrong.push(String(error)));
    open.add(one);
    void one.finally(() => open.delete(one));
  }
  await Promise.all(open);
  return asking;
}

function ask(asking: Asking): Promise<void> {
  const { random, fleet, pausing } = asking;
  const job = jobName(random.below(fleet.jobs));
  if (random.chance(0.2) && !pausing.has(job)) return pause(asking, job);
  return random.chance(0.3) ? cancel(asking) : run(asking, job);
}

async function unlessOver({ over }: Asking, ms: number): Promise<void> {
  await wait(ms, undefined, { signal: over }).catch(() => undefined);
}

async function run(asking: Asking, newFor: string): Promise<void> {
  const { runs, keys, random, latest } = asking;
  const again = random.chance(0.3) ? keys[random.below(keys.length)] : undefined;
  const key = again ?? `key-${keys.length}`;
  if (again === undefined) keys.push(key);
  const { job, answers } = runs.get(key) ?? { job: newFor, answers: [] };
  runs.set(key, { job, answers });
  const headers = { 'Idempotency-Key': key };
  const path = `/api/v1/jobs/${job}/runs`;
  const times = random.pick(1, 1, 2, 3);
  const once = () => send(asking, 'POST', path, [202, 409, 429, 503], headers);
  const heard = await Promise.all(Array.from({ length: times }, once));
  answers.push(...heard);
  latest.push(...heard.flatMap(({ id }) => id ?? []).slice(0, 1));
  if (latest.length > LATEST) latest.shift();
}

/** Cancels what somebody asked for, or whatever is at work. */
async function cancel(asking: Asking): Promise<void> {
  const { latest, random, cancelled } = asking;
  const listed = random.chance(0.5) ? await atWork(asking) : [];
  const id = random.pick(...(listed.length > 0 ? listed : latest), '');
  if (id === '') return;
  const path = `/api/v1/runs/${encodeURIComponent(id)}/cancel`;
  const { status } = await send(asking, 'POST', path, [202, 409, 503]);
  if (status === 202) cancelled.push(id);
}

async function atWork(asking: Asking): Promise<string[]> {
  const { body } = await send(asking, 'GET', '/api/v1/runs?state=running&limit=20', [200, 503]);
  return body.runs?.map(({ id }) => id) ?? [];
}

const AGAIN_MS = 200;

/** Pauses a job for some seconds, and does not rest until it goes on. */
async function pause(asking: Asking, job: string): Promise<void> {
  const { pausing, pauses, random } = asking;
  pausing.add(job);
  const path = `/api/v1/jobs/${job}/pause`;
  const paused = await send(asking, 'PUT', path, [200, 409, 503]);
  const from = Date.now();
  await unlessOver(asking, random.between(2000, 15_000));
  if (paused.status === 200) pauses.push({ job, from, to: Date.now() });
  while ((await send(asking, 'DELETE', path, [200, 503])).status !== 200) await wait(AGAIN_MS);
  pausing.delete(job);
}

/** Whatever is looked at in an answer. */
interface Body {
  readonly id?: string;
  readonly title?: string;
  readonly runs?: readonly { readonly id: string }[];
}

/** Servers that stand still answer later. */
const ANSWERS_WITHIN_MS = 15_000;
const SHOWN = 400;

async function send(
  { fleet, random, wrong }: Asking,
  method: string,
  path: string,
  expected: readonly number[],
  headers: Record<string, string> = {},
): Promise<Answer & { readonly body: Body }> {
  const listening = fleet.listening();
  // Some come to where a server was.
  const known = listening.length === 0 || random.chance(0.1) ? fleet.urls : listening;
  const url = random.pick(...known);
  try {
    const signal = AbortSignal.timeout(ANSWERS_WITHIN_MS);
    const answer = await fetch(url + path, { method, headers, signal });
    const body = (await answer.json()) as Body;
    const { status } = answer;
    if (!expected.includes(status) || body.title === 'Record unusable') {
      wrong.push(`${method} ${path}: ${status} ${JSON.stringify(body).slice(0, SHOWN)}`);
    }
    return { status, id: answer.ok ? body.id : undefined, body };
  } catch {
    // It was killed before it could answer, or has not listened yet.
    return { status: NONE, id: undefined, body: {} };
  }
}
