import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quantile } from '../load/figures.ts';
import {
  bullMqOnPostgresEverySecond,
  bullMqOnRedisEverySecond,
  openBullMq,
} from './peers/bullmq.ts';
import { openGraphile } from './peers/graphile-worker.ts';
import { openOurs, oursEverySecond } from './peers/ours.ts';
import { install } from './peers/packages.ts';
import type { EverySecond, Kind, Measure, Peer, ToClose } from './peers/peer.ts';
import { openPgBoss } from './peers/pg-boss.ts';
import { startPostgres } from './peers/postgres.ts';
import { startRedis } from './peers/redis.ts';
import type { Server } from './peers/server.ts';
import { cronerEverySecond, nodeCronEverySecond } from './peers/timers.ts';
import { lateness, lifecycles, why, type Found } from './peers/turns.ts';
import type { Bar, Cell, Result, Table } from './section.ts';

/*
 * Beside what others would pick instead of us, at the same work: a run is asked for, claimed under
 * a lock, run by a handler that does nothing, and its outcome put in history, as durable as is said.
 * Each of them in this process, with a server of its own where it needs one, in turns with ours.
 * How each is set is in a table of its own.
 */

/** What takes part, and what does not, with the reason. */
interface Field {
  readonly peers: Peer[];
  /** Those in one turn disturb each other by nothing that could be measured. */
  readonly turns: EverySecond[][];
  readonly absent: Absent[];
  readonly servers: Server[];
  /** What was opened, to be closed in the reverse order, before the servers. */
  readonly open: (() => Promise<unknown>)[];
}

interface Absent {
  readonly what: string;
  readonly from: readonly ('lifecycles' | 'lateness')[];
  readonly reason: string;
}

export async function measure(say: (doing: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const field: Field = { peers: [], turns: [], absent: [], servers: [], open: [] };
  const stop = async (): Promise<void> => {
    await Promise.all(field.servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  const leave = (): void => void stop().finally(() => process.exit(1));
  process.once('SIGTERM', leave);
  try {
    await gather(field, folder, say);
    const found = await lifecycles(field.peers, say);
    const late = await lateness(field.turns, say);
    return {
      tables: [lifecycleTable(field, found), latenessTable(field, late), settingsTable(field)],
      bars: bars(found),
    };
  } finally {
    // What can't be closed goes with its server.
    for (const close of field.open.toReversed()) await close().catch(() => undefined);
    await stop();
    process.off('SIGTERM', leave);
  }
}

/** Has all take part that can. Ours has to. */
async function gather(field: Field, folder: string, say: (doing: string) => void): Promise<void> {
  const toClose: ToClose = (close) => void field.open.push(close);
  for (const durability of ['full', 'normal'] as const) {
    field.peers.push(await openOurs(folder, durability, toClose));
  }
  field.turns.push([oursEverySecond(folder)]);
  const attempt = async (
    what: string,
    from: Absent['from'],
    work: () => Promise<void>,
  ): Promise<void> => {
    say(`opening ${what}`);
    await work().catch((error: unknown) => {
      field.absent.push({ what, from, reason: why(error) });
    });
  };
  const packages = join(folder, 'packages');
  mkdirSync(packages);
  await attempt('all peers', ['lifecycles', 'lateness'], async () => {
    const load = await install(packages);
    await attempt('croner, node-cron', ['lateness'], async () => {
      field.turns.push([cronerEverySecond(load), nodeCronEverySecond(load)]);
    });
    await attempt('BullMQ with always', ['lifecycles', 'lateness'], async () => {
      const redis = await start(field, () => startRedis(folder, 'always'));
      field.peers.push(...(await openBullMq('always', { load, server: redis, toClose })));
      field.turns.push([bullMqOnRedisEverySecond(load, redis)]);
    });
    await attempt('BullMQ with everysec', ['lifecycles'], async () => {
      const redis = await start(field, () => startRedis(folder, 'everysec'));
      field.peers.push(...(await openBullMq('everysec', { load, server: redis, toClose })));
    });
    let started: Server | undefined;
    const postgres = async (): Promise<Server> => (started ??= await start(field, startPostgres));
    await attempt('pg-boss', ['lifecycles'], async () => {
      field.peers.push(...(await openPgBoss({ load, server: await postgres(), toClose })));
    });
    await attempt('graphile-worker', ['lifecycles'], async () => {
      field.peers.push(...(await openGraphile({ load, server: await postgres(), toClose })));
    });
    await attempt('BullMQ on PostgreSQL', ['lateness'], async () => {
      field.turns.push([bullMqOnPostgresEverySecond(load, await postgres())]);
    });
  });
}

async function start(field: Field, run: () => Promise<Server>): Promise<Server> {
  const server = await run();
  field.servers.push(server);
  return server;
}

function lifecycleTable({ peers, absent }: Field, found: readonly Found[]): Table {
  const rows = peers.map((peer): Cell[] => {
    const of = (measure: Measure): Found | undefined =>
      found.find((one) => one.peer === peer && one.measure === measure);
    const figure = (measure: Measure, n: number): Cell => of(measure)?.figures[n] ?? '';
    const faults = found.flatMap((one) => (one.peer === peer ? (one.fault ?? []) : []));
    return [
      peer.name,
      figure('one at a time', 0),
      figure('16 at once', 0),
      figure('call to start', 0),
      figure('call to start', 1),
      [...new Set(faults)].join('; '),
    ];
  });
  const columns = [
    '',
    'one at a time',
    '16 at once',
    'call to start, median ms',
    'call to start, p99 ms',
    'note',
  ];
  return {
    title: 'Peers: lifecycles a second, and how soon a handler starts',
    columns,
    rows: [...rows, ...lacking(absent, 'lifecycles', columns.length)],
  };
}

/** A row for each that is not there, its reason in the last cell. */
function lacking(
  absent: readonly Absent[],
  table: Absent['from'][number],
  width: number,
): readonly Cell[][] {
  const blank = Array<Cell>(width - 2).fill('');
  return absent
    .filter(({ from }) => from.includes(table))
    .map(({ what, reason }) => [what, ...blank, `not measured: ${reason}`]);
}

const MINUTES_ONLY = ['pg-boss', 'graphile-worker'];

function latenessTable(
  { turns, absent }: Field,
  late: ReadonlyMap<EverySecond, readonly number[] | string>,
): Table {
  const rows = turns.flat().map((one): Cell[] => {
    const found = late.get(one) ?? '';
    if (typeof found === 'string') return [one.name, '', '', '', found];
    return [one.name, found.length, quantile(found, 0.5), quantile(found, 0.99), ''];
  });
  const columns = ['', 'starts', 'median ms', 'p99 ms', 'note'];
  return {
    title: 'Peers: how late a job of every second starts',
    columns,
    rows: [
      ...rows,
      ...MINUTES_ONLY.map((name) => [name, '', '', '', 'its schedules know no seconds']),
      ...lacking(absent, 'lateness', columns.length),
    ],
  };
}

function settingsTable({ peers, turns }: Field): Table {
  const rows = [...peers, ...turns.flat()].map(({ name, how }) => [name, how]);
  return { title: 'Peers: how each is set', columns: ['', 'how'], rows };
}

/** What ours has to reach beside each of those that could be measured. */
function bars(found: readonly Found[]): Bar[] {
  const of = (kind: Kind, measure: Measure, n: number): number[] =>
    found.flatMap(({ peer, measure: its, figures }) =>
      peer.kind === kind && its === measure ? (figures[n] ?? []) : [],
    );
  const faster = (ours: Kind, theirs: Kind, measure: Measure, atLeast: number): Bar[] => {
    const best = of(theirs, measure, 0);
    if (best.length === 0) return [];
    const measured = Math.max(...of(ours, measure, 0)) / Math.max(...best);
    const what = `${ours}, ${measure}, of ${theirs}`;
    return [{ what, measured, unit: 'times', bound: { atLeast } }];
  };
  const sooner = (ours: Kind, theirs: Kind): Bar[] =>
    ['median', 'p99'].flatMap((name, n) => {
      const best = of(theirs, 'call to start', n);
      if (best.length === 0) return [];
      const measured = Math.min(...of(ours, 'call to start', n)) / Math.min(...best);
      const what = `${ours}, call to start, ${name}, of ${theirs}`;
      return [{ what, measured, unit: 'times', bound: { under: 1 } }];
    });
  return [
    ...faster('full', 'BullMQ with always', 'one at a time', 1),
    ...faster('full', 'BullMQ with always', '16 at once', 1),
    ...faster('normal', 'BullMQ with everysec', '16 at once', 1),
    ...faster('full', 'graphile-worker', '16 at once', 8),
    ...faster('full', 'pg-boss', '16 at once', 8),
    ...sooner('full', 'BullMQ with always'),
    ...sooner('normal', 'BullMQ with everysec'),
  ];
}
