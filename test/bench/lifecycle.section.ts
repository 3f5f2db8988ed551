import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { defineJob, type Job } from '../../server/core/job.ts';
import type { Service } from '../../server/service.ts';
import { lifecycles, openService } from './file-service.ts';
import { median } from './measure.ts';
import type { Bar, Result } from './section.ts';

/*
 * Whole lifecycles: asked for, claimed under the job's lock, run, and their outcome in history, all
 * of it durable. Beside them bare commits to SQLite, of which a lifecycle needs two.
 */

const ROUNDS = 5;
const ROUND_MS = 1000;
const AT_ONCE = 16;

/** Gives how many it did a second, for so long. */
type Case = (ms: number) => Promise<number>;

export async function measure(say: (doing: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const service = await open(join(folder, 'punctual.db'));
  const raw = new DatabaseSync(join(folder, 'raw.db'));
  try {
    const cases: Readonly<Record<string, Case>> = {
      'bare commits': commits(raw),
      'one at a time': (ms) => lifecycles(service, ['job-0'], { ms }),
      '16 at once, of 16 jobs': (ms) => lifecycles(service, names(AT_ONCE), { ms }),
      '16 at once, of one job': (ms) => lifecycles(service, Array(AT_ONCE).fill('wide'), { ms }),
    };
    const found = new Map<string, number[]>(Object.keys(cases).map((name) => [name, []]));
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [name, run] of Object.entries(cases)) {
        say(`${name}, round ${round}`);
        const perSecond = await run(ROUND_MS);
        // The first is the warm-up.
        if (round > 0) found.get(name)?.push(perSecond);
      }
    }
    return resultOf(new Map([...found].map(([name, all]) => [name, median(all)])));
  } finally {
    raw.close();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function resultOf(found: ReadonlyMap<string, number>): Result {
  const of = (name: string): number => found.get(name) ?? NaN;
  const bare = of('bare commits') / 2;
  const bar = (what: string, measured: number, atLeast: number): Bar => {
    return { what, measured, unit: 'times', bound: { atLeast } };
  };
  return {
    tables: [
      {
        title: 'Lifecycles a second, durable',
        columns: ['', 'a second', 'of two bare commits'],
        rows: [...found].map(([name, rate]) => [name, rate, rate / bare]),
      },
    ],
    bars: [
      bar('one at a time, of two bare commits', of('one at a time') / bare, 0.8),
      bar('one job, of 16', of('16 at once, of one job') / of('16 at once, of 16 jobs'), 0.5),
    ],
  };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `job-${i}`);

function open(path: string): Promise<Service> {
  const make = (name: string, allow: number): Job =>
    defineJob({ name, overlap: { allow }, run: () => undefined });
  const jobs = [...names(AT_ONCE).map((name) => make(name, 1)), make('wide', AT_ONCE)];
  return openService({ path, jobs });
}

function commits(db: DatabaseSync): Case {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE locks (name TEXT PRIMARY KEY, rev INTEGER); CREATE TABLE runs (doc TEXT)');
  db.exec("INSERT INTO locks VALUES ('job', 0)");
  const lock = db.prepare("UPDATE locks SET rev = rev + 1 WHERE name = 'job'");
  const insert = db.prepare('INSERT INTO runs VALUES (?)');
  const doc = 'x'.repeat(500);
  return (ms) => {
    const from = performance.now();
    let count = 0;
    for (; performance.now() - from < ms; count += 1) {
      db.exec('BEGIN IMMEDIATE');
      lock.run();
      insert.run(doc);
      db.exec('COMMIT');
    }
    return Promise.resolve((count / (performance.now() - from)) * 1000);
  };
}
