import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load, type Asked } from './http/client.ts';
import JOBS from './http/jobs.ts';
import { median } from './measure.ts';
import type { Bar, Result } from './section.ts';
import { SERVICE, start, type Started } from './started.ts';

/*
 * Requests a second over loopback, of the real service and of a bare Express, each in a process of
 * its own, from the same client, in turns. A run that is started is on record, durably, before it
 * is answered, and comes to its end, on record too; what Express answers is nothing but words.
 * Where it is not said otherwise, each connection asks for runs of one job, the next while the one
 * before is ending.
 */

const ROUNDS = 5;
const ROUND_MS = 1000;
/** The engine has its last word on code of this size later than that. */
const WARM_UP_MS = 3000;
const AT_ONCE = [1, 16] as const;
const AT_LEAST = 0.5;
const ALL_WITHIN_MS = 30_000;
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

interface Case {
  readonly what: string;
  readonly server: Started;
  /** What is asked about the job of this number. */
  readonly ask: (i: number) => Asked;
  /** Whether a connection asks about all jobs in turn; about one of its own, if not. */
  readonly turns?: boolean;
}

const BODY = JSON.stringify({ input: { order: 4711 } });

export async function measure(say: (doing: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const started: Started[] = [];
  const begin = async (name: string, file: string, env: Record<string, string>) => {
    const server = await start({ name, folder, args: [file], env });
    started.push(server);
    return server;
  };
  try {
    const env = {
      PUNCTUAL_DB: join(folder, 'punctual.db'),
      PUNCTUAL_JOBS: path('http/jobs.ts'),
      // No limit to how often one client may start something: that is what is measured.
      PUNCTUAL_TRIGGERS_PER_SECOND: '0',
    };
    const express = await begin('express', path('http/express.ts'), {});
    const ours = await begin('punctual', SERVICE, { ...env, NODE_COMPILE_CACHE: folder });
    const found = await inTurns(casesOf(express, ours), say);
    await assertAllRan(ours.url);
    return resultOf(found);
  } finally {
    for (const server of started) await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

const EXPRESS = 'bare Express, a body read and answered';
const READ = 'a job read';
const START = 'a run started';

function casesOf(express: Started, ours: Started): Case[] {
  const runs = (i: number) => ({ method: 'POST', path: `/api/v1/jobs/job-${i}/runs` }) as const;
  return [
    {
      what: EXPRESS,
      server: express,
      ask: (i) => ({ method: 'POST', path: `/jobs/job-${i}/runs`, body: BODY, status: 202 }),
    },
    {
      what: READ,
      server: ours,
      ask: (i) => ({ method: 'GET', path: `/api/v1/jobs/job-${i}`, status: 200 }),
    },
    { what: START, server: ours, ask: (i) => ({ ...runs(i), body: BODY, status: 202 }) },
    {
      what: `${START}, of 16 jobs in turn`,
      server: ours,
      ask: (i) => ({ ...runs(i), body: BODY, status: 202 }),
      turns: true,
    },
    {
      what: 'a run started, and waited for',
      server: ours,
      ask: (i) => ({ ...runs(i), body: BODY, headers: { Prefer: 'wait=10' }, status: 200 }),
    },
  ];
}

interface Found {
  readonly what: string;
  readonly atOnce: number;
  readonly perSecond: number;
  /** What the client took of a core meanwhile. */
  readonly client: number;
}

async function inTurns(cases: readonly Case[], say: (doing: string) => void): Promise<Found[]> {
  const entries = AT_ONCE.flatMap((atOnce) =>
    cases.map((one) => ({ ...one, atOnce, rates: [] as number[], shares: [] as number[] })),
  );
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { what, server, ask, turns, atOnce, rates, shares } of entries) {
      say(`${what}, ${atOnce} at once, round ${round}`);
      const asked = Array.from({ length: atOnce }, (_, i) =>
        turns ? JOBS.map((_job, n) => ask((i + n) % JOBS.length)) : [ask(i)],
      );
      const [before, from] = [process.cpuUsage(), performance.now()];
      const ms = round === 0 ? WARM_UP_MS : ROUND_MS;
      const perSecond = await load({ url: server.url, asked, ms });
      const { user, system } = process.cpuUsage(before);
      if (round === 0) continue;
      rates.push(perSecond);
      shares.push((user + system) / 1000 / (performance.now() - from));
    }
  }
  return entries.map(({ what, atOnce, rates, shares }) => {
    return { what, atOnce, perSecond: median(rates), client: median(shares) };
  });
}

/** What was answered has to be so: every run comes to its good end, soon after the last answer. */
async function assertAllRan(url: string): Promise<void> {
  const giveUpAt = performance.now() + ALL_WITHIN_MS;
  const count = async (state: string): Promise<number> => {
    const answer = await fetch(`${url}/api/v1/runs?state=${state}&limit=1`);
    const found: unknown = await answer.json();
    const runs: unknown = Reflect.get(Object(found), 'runs');
    if (!Array.isArray(runs)) throw new Error(`no runs, but ${JSON.stringify(found)}`);
    return runs.length;
  };
  for (const state of ['running', 'queued', 'retry_wait']) {
    while ((await count(state)) > 0) {
      if (performance.now() > giveUpAt) throw new Error(`a run is ${state} still`);
    }
  }
  for (const state of ['failed', 'timed_out', 'lost', 'cancelled', 'skipped', 'missed']) {
    if ((await count(state)) > 0) throw new Error(`a run is ${state}`);
  }
}

function resultOf(found: readonly Found[]): Result {
  const bare = (atOnce: number): number =>
    found.find((one) => one.what === EXPRESS && one.atOnce === atOnce)?.perSecond ?? NaN;
  const rows = found.map(({ what, atOnce, perSecond, client }) => [
    `${what}, ${atOnce} at once`,
    perSecond,
    perSecond / bare(atOnce),
    (client * 100).toFixed(0),
  ]);
  const bars = found.flatMap(({ what, atOnce, perSecond }): Bar[] => {
    if (what !== READ && what !== START) return [];
    const measured = perSecond / bare(atOnce);
    const name = `${what} through HTTP, ${atOnce} at once, of bare Express`;
    return [{ what: name, measured, unit: 'times', bound: { atLeast: AT_LEAST } }];
  });
  const columns = ['', 'a second', 'of bare Express', 'client, % of a core'];
  return { tables: [{ title: 'Requests a second, durable', columns, rows }], bars };
}
