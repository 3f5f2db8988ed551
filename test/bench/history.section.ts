import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineJob } from '../../server/core/job.ts';
import type { Service } from '../../server/service.ts';
import { openService } from './file-service.ts';
import { deletingJobs, measureDeleting } from './history/deleting.ts';
import { jobName, JOBS, writeRuns, type Filled } from './history/filled.ts';
import { measureInserts } from './history/inserting.ts';
import { measureLists } from './history/lists.ts';
import type { Result } from './section.ts';

/*
 * What a million runs in the file make slower. It is filled once: first it is read, then runs are
 * added, and what deletes comes last.
 */

const RUNS = { few: 10_000, many: 1_000_000 } as const;

const jobs = [
  ...Array.from({ length: JOBS }, (_, i) => defineJob({ name: jobName(i), run: () => undefined })),
  ...deletingJobs,
];

export async function measure(say: (doing: string) => void): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'punctual-bench-'));
  const opened: Service[] = [];
  const open = async (path: string): Promise<Service> => {
    const service = await openService({ path, jobs });
    opened.push(service);
    return service;
  };
  const fill = async (runs: number): Promise<Filled> => {
    say(`writing ${runs.toLocaleString('en')} runs`);
    const path = join(folder, `${runs}.db`);
    // A service makes it, and it is filled while nobody has it open.
    await (await openService({ path, jobs })).stop();
    const written = writeRuns(path, runs);
    return { ...written, path, service: await open(path) };
  };
  try {
    const [few, many] = [await fill(RUNS.few), await fill(RUNS.many)];
    const lists = await measureLists(few, many, say);
    const inserts = await measureInserts(await open(join(folder, '0.db')), many.service, say);
    const deletes = await measureDeleting(many, say);
    const all = [inserts, lists, deletes];
    return { tables: all.flatMap(({ tables }) => tables), bars: all.flatMap(({ bars }) => bars) };
  } finally {
    for (const service of opened) await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
