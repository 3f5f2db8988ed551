import { setTimeout as pause } from 'node:timers/promises';
import type { Place } from './server.ts';

/** Somebody who opens one page after the other, as long as told. */

const EVERY_MS = 3000;

const PAGES: readonly string[] = [
  '/',
  '/jobs/minute-03',
  '/runs',
  '/runs?q=state%3Aproblem',
  '/timeline',
  '/schedule',
  '/actions',
  '/system',
  '/metrics',
  '/api/v1/jobs',
  '/api/v1/runs?limit=50',
  '/api/v1/upcoming',
  '/api/v1/system',
];

export interface Visits {
  readonly tookMs: readonly number[];
  readonly wrong: readonly string[];
}

/**
 * Starts a server once and opens all pages: what is compiled for it is kept when it ends by itself,
 * as it is where the service is deployed.
 */
export async function warmUp(place: Place): Promise<void> {
  const server = await place.start({ jobs: 'soak.ts' });
  for (const path of PAGES) await open(server.url + path);
  await server.stop();
}

/** Goes on until the signal fires. `url` is where the server is; undefined while there is none. */
export async function visit(
  url: () => string | undefined,
  signal: AbortSignal,
  everyMs = EVERY_MS,
): Promise<Visits> {
  const tookMs: number[] = [];
  const wrong: string[] = [];
  for (let turn = 0; !signal.aborted; turn++) {
    await pause(everyMs, undefined, { signal }).catch(() => undefined);
    const at = url();
    if (at === undefined || signal.aborted) continue;
    const path = PAGES[turn % (PAGES.length + 1)] ?? (await pageOfARun(at));
    const before = performance.now();
    const status = await open(at + path);
    // Of a server that is killed meanwhile no answer is right or wrong.
    if (url() !== at) continue;
    tookMs.push(performance.now() - before);
    const when = new Date().toISOString();
    if (status !== 200) wrong.push(`${when}: ${path} was answered ${status}`);
  }
  return { tookMs, wrong };
}

async function open(url: string): Promise<number | string> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    await answer.arrayBuffer();
    return answer.status;
  } catch (error) {
    return String(error);
  }
}

async function pageOfARun(url: string): Promise<string> {
  try {
    const answer = await fetch(`${url}/api/v1/runs?job=minute-03&limit=1`);
    const { runs }: { runs: readonly { id: string }[] } = Object(await answer.json());
    return runs[0] === undefined ? '/runs' : `/runs/${encodeURIComponent(runs[0].id)}`;
  } catch {
    return '/runs';
  }
}
