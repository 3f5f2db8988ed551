import { setTimeout as pause } from 'node:timers/promises';
import type { Run } from '../../server/core/records.ts';
import { account, FOUND_WITHIN_MS } from './account.ts';
import { largest, median } from './figures.ts';
import { under, type Report, type Row } from './report.ts';
import { openPlace, until, type Server } from './server.ts';

/**
 * How long it takes after the end of a process until what it left is on record, and tried again
 * where that is wished; all with the settings that everybody has.
 */

/** How a process ends, when, and who finds what it left. */
interface Ending {
  readonly signal: 'SIGKILL' | 'SIGTERM';
  /** How old the lease is that it leaves; beats come about every 30 s. */
  readonly afterMs: number;
  /** Another server on the same file, or the same one started again. */
  readonly by: 'another' | 'itself';
}

export interface RecoveryOptions {
  readonly kills: readonly number[];
  readonly stops: readonly number[];
}

interface Recovered extends Ending {
  /** Until the run that fails by it was on record as lost. */
  readonly foundMs: number;
  /** Until the other was begun anew, by its handler. */
  readonly againMs: number;
  readonly wrong: readonly string[];
}

const JOBS = ['fails-when-lost', 'retries-when-lost'] as const;
const BARS_S = { SIGKILL: 155, SIGTERM: 5 } as const;

export async function recovery({ kills, stops }: RecoveryOptions): Promise<Report> {
  const both = ['another', 'itself'] as const;
  const of = (signal: Ending['signal'], ages: readonly number[]): Ending[] =>
    ages.flatMap((afterMs) => both.map((by) => ({ signal, afterMs, by })));
  const endings = [...of('SIGKILL', kills), ...of('SIGTERM', stops)];
  const all = await Promise.all(endings.map(recover));
  return {
    title: 'Recovery, with the lease of 90 s',
    rows: [...Map.groupBy(all, nameOf)].flatMap(([name, some]) => rowsOf(name, some)),
    bars: (['SIGKILL', 'SIGTERM'] as const).map((signal) => {
      const some = all.filter((one) => one.signal === signal);
      const times = some.flatMap(({ foundMs, againMs }) => [foundMs, againMs]);
      const measured = largest(times) / 1000;
      return under(`after ${signal}`, measured, BARS_S[signal], 's');
    }),
    wrong: all.flatMap(({ wrong }) => wrong),
  };
}

const nameOf = ({ signal, by }: Ending): string =>
  by === 'itself' ? `${signal}, started again` : `${signal}, with another beside it`;

function rowsOf(name: string, some: readonly Recovered[]): readonly Row[] {
  const text = (times: readonly number[]): string => {
    const [middle, last] = [median(times), largest(times)].map((ms) => (ms / 1000).toFixed(1));
    return `median ${middle} s, at most ${last} s (${times.length} times)`;
  };
  return [
    [`${name}: on record as lost`, text(some.map(({ foundMs }) => foundMs))],
    [`${name}: begun anew`, text(some.map(({ againMs }) => againMs))],
  ];
}

async function recover(ending: Ending): Promise<Recovered> {
  const { signal, afterMs, by } = ending;
  const place = openPlace();
  const start = () => place.start({ jobs: 'recovery.ts', env: { PUNCTUAL_BUILD: 'recovery' } });
  try {
    const server = await start();
    const other = by === 'another' ? await start() : undefined;
    const ids = [await begin(server, JOBS[0]), await begin(server, JOBS[1])] as const;
    const begun = () => place.journal().filter(({ word }) => word === 'begin');
    await until('both have begun', async () => begun().length === 2, 30_000);
    await pause(afterMs);
    const at = Date.now();
    const status = await server.end(signal);
    const next = other ?? (await start());
    const look = async () => {
      const [lost, tried] = [await runOf(next, ids[0]), await runOf(next, ids[1])];
      return lost.state === 'lost' && tried.state === 'succeeded' ? lost : undefined;
    };
    const lost = await until('both are over', look, FOUND_WITHIN_MS + 60_000, 1000);
    const again = begun().find(({ attempt }) => attempt === 2);
    await next.end('SIGTERM');
    const { wrong } = await account({ db: place.db, journal: place.journal() });
    const odd = signal === 'SIGTERM' && status !== 0 ? [`it ended with ${status}`] : [];
    return {
      ...ending,
      foundMs: Date.parse(String(lost.endedAt)) - at,
      againMs: (again?.at ?? Infinity) - at,
      wrong: [...wrong, ...odd, ...place.errors()],
    };
  } finally {
    await place.close();
  }
}

async function begin({ url }: Server, job: string): Promise<string> {
  const answer = await fetch(`${url}/api/v1/jobs/${job}/runs`, { method: 'POST' });
  const { id }: { id: string } = Object(await answer.json());
  if (answer.status !== 202) throw new Error(`${job} was not started: ${answer.status}`);
  return id;
}

async function runOf({ url }: Server, id: string): Promise<Pick<Run, 'state' | 'endedAt'>> {
  const answer = await fetch(`${url}/api/v1/runs/${encodeURIComponent(id)}`);
  return Object(await answer.json());
}
