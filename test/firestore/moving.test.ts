import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { auditStore } from '../../server/core/audit.ts';
import { defineJob } from '../../server/core/job.ts';
import { pauseJob, runNow } from '../../server/core/run-now.ts';
import { openInput } from '../../server/core/secrets/stored.ts';
import type { Store } from '../../server/core/store.ts';
import { wakeAll } from '../../server/core/wake.ts';
import type { Service } from '../../server/service.ts';
import { commit, jobRecord, runRequest } from '../builders.ts';
import { systemClock } from '../../server/process/clock.ts';
import type { Importer } from '../../server/stores/firestore-import.ts';
import type { FirestoreStore } from '../../server/stores/firestore.ts';
import { moveStore, type Moved } from '../../server/stores/moving.ts';
import { sealDatabase, unsealDatabase } from '../../server/stores/sqlite-seal.ts';
import { openSqliteStore } from '../../server/stores/sqlite.ts';
import { tokenIn } from '../http/identity/callers.ts';
import { readTokens } from '../../server/http/identity/token-list.ts';
import { deploying, KEY, SECRET, tracesIn } from '../http/secrets.ts';
import { failToStart, fixture, startServer, tempFolder } from '../process/server.ts';
import { openService as openHere } from '../service.ts';
import { testClock } from '../test-clock.ts';
import { emulator, newProject, openStore, writeByHand } from './fixture.ts';
import { openService, register } from './service.ts';

const HOUR = 3_600_000;
const jobs = [
  defineJob({
    name: 'hourly',
    schedule: '0 * * * *',
    run: ({ log, scheduledAt }) => log(`the hour of ${scheduledAt} \ud800`),
  }),
  defineJob({
    name: 'failing',
    schedule: '30 */6 * * *',
    run: () => {
      throw new Error('no \0 luck');
    },
  }),
  defineJob({ name: 'by-hand', run: () => ({ ['__proto__']: 1, 'a.b': [1, 2] }) }),
];

/** A database with two days of history, which ended a while ago, and nobody at it. */
async function lived(): Promise<string> {
  const path = join(tempFolder(), 'punctual.db');
  const clock = testClock(Math.floor(Date.now() / HOUR) * HOUR - 50 * HOUR);
  const service = await openHere(jobs, { clock, path });
  for (let hour = 0; hour < 48; hour += 1) {
    // Half a day in which nobody was there.
    if (hour > 20 && hour < 32) await clock.advance(HOUR);
    else {
      await clock.advance(HOUR);
      await wake(service);
    }
  }
  const job = service.deps.registry.get('by-hand')!;
  const request = runRequest({ key: 'once', by: 'ada' });
  await runNow(service.deps, job, request);
  await service.idle();
  await pauseJob(service.deps, 'failing', { by: 'ada', note: 'moving', until: null });
  await tokenIn(service.store, { name: 'ci', role: 'operator' });
  await service.stop();
  return path;
}

async function wake(service: Service & { idle(): Promise<void> }): Promise<void> {
  await wakeAll(service.deps, { aheadMs: 0, thorough: true });
  await service.idle();
}

interface Move {
  readonly path: string;
  readonly to: FirestoreStore;
  readonly importer?: Pick<Importer, 'put' | 'putJob'>;
}

async function move({ path, to, importer }: Move): Promise<Moved> {
  const timing = { leaseMs: 90_000, regressionMs: 5000, sealed: true };
  sealDatabase(path, { to: 'firestore:there', at: 'today' });
  const from = openSqliteStore({ path, clock: systemClock, log: () => undefined, ...timing });
  try {
    return await moveStore({
      from,
      to,
      importer: (importer ?? to.importer()) as Importer,
      source: path,
      progress: () => undefined,
    });
  } finally {
    await from.close();
  }
}

const open = (project = newProject()): FirestoreStore => {
  const store = openStore({ project });
  onTestFinished(() => store.close());
  return store;
};

const idsOf = async (store: Store): Promise<string[]> =>
  (await store.listRuns({ limit: 1000 })).runs.map(({ id }) => id);

/** Breaks off at the nth write. */
function breaking(importer: Importer, at: number): Pick<Importer, 'put' | 'putJob'> {
  let n = 0;
  const count = (): void => {
    n += 1;
    if (n === at) throw new Error('the line went dead');
  };
  return {
    async put(parcel) {
      count();
      await importer.put(parcel);
    },
    async putJob(record) {
      count();
      return await importer.putJob(record);
    },
  };
}

describe.skipIf(emulator === null)('moving from SQLite to Firestore', () => {
  test('history, jobs and schedules arrive whole, and the audit finds each occurrence', async () => {
    const path = await lived();
    const to = open();

    const moved = await move({ path, to });

    const audited = await auditStore(to);
    expect(moved).toMatchObject({ jobs: 3 });
    expect(moved.runs).toBe((await idsOf(to)).length);
    expect(moved.runs).toBeGreaterThan(30);
    expect(moved.logChunks).toBeGreaterThan(30);
    expect(audited).toMatchObject({ gaps: [] });
    expect(audited.occurrences).toBeGreaterThan(48);
    expect((await to.read('failing')).record?.paused).toMatchObject({ note: 'moving' });
    const { runs } = await to.listRuns({ limit: 1, job: 'by-hand' });
    expect(runs[0]?.output).toBe('{"__proto__":1,"a.b":[1,2]}');
    const tokens = await readTokens(to, 'default');
    expect(tokens.map(({ name, role }) => [name, role])).toEqual([['ci', 'operator']]);
  }, 60_000);

  test('fencing tokens go on from a larger one than was ever given', async () => {
    const path = await lived();
    const to = open();
    const timing = { leaseMs: 90_000, regressionMs: 5000 };
    const before = openSqliteStore({ path, clock: systemClock, log: () => undefined, ...timing });
    const { record } = await before.read('hourly');
    await before.close();

    await move({ path, to });

    expect((await to.read('hourly')).record!.fence).toBeGreaterThan(record!.fence);
  }, 60_000);

  test('what runs there next goes on where the old place stopped', async () => {
    const path = await lived();
    const project = newProject();
    await move({ path, to: open(project) });
    const service = await openService(jobs, { project });
    await register(service);

    await wake(service);

    const { runs } = await service.store.listRuns({ limit: 100, job: 'hourly' });
    const audited = await auditStore(service.store);
    expect(runs[0]).toMatchObject({ state: 'succeeded', trigger: 'schedule' });
    expect(audited.gaps).toEqual([]);
  }, 60_000);

  test('a secret arrives as it is stored, and what is run there again has it', async () => {
    const got: unknown[] = [];
    const job = deploying(({ input }) => got.push(input));
    const path = join(tempFolder(), 'punctual.db');
    const env = { PUNCTUAL_SECRET_KEY: KEY };
    const clock = testClock(Math.floor(Date.now() / HOUR) * HOUR - 2 * HOUR);
    const before = await openHere([job], { clock, path, env });
    const input = { target: 'shop', token: SECRET };
    await runNow(before.deps, job, runRequest({ input, key: 'once' }));
    await before.idle();
    await clock.advance(20_000);
    await wake(before);
    await before.stop();
    const project = newProject();

    await move({ path, to: open(project) });
    const service = await openService([job], { project, env });
    await register(service);
    const [old] = (await service.store.listRuns({ limit: 1 })).runs;
    const again = openInput(service.deps.cipher, job, old!).value;
    await runNow(service.deps, job, runRequest({ input: again, rerunOf: old!.id }));
    await service.idle();

    expect(tracesIn(JSON.stringify(old))).toEqual([]);
    expect(got).toEqual([input, input, input]);
  }, 60_000);

  test.for([1, 2, 3, 4, 5, 6])(
    'broken off at write %i, the next try goes on and finds the same',
    { timeout: 60_000 },
    async (at) => {
      const path = await lived();
      const to = open();
      const dead = move({ path, to, importer: breaking(to.importer(), at) });
      await expect(dead).rejects.toThrow('the line went dead');

      const moved = await move({ path, to });

      const audited = await auditStore(to);
      expect(moved.runs).toBe((await idsOf(to)).length);
      expect(audited.gaps).toEqual([]);
    },
  );

  test('a copy that is not the same is found out', async () => {
    const path = await lived();
    const project = newProject();
    const to = open(project);
    const importer = to.importer();
    const forging: Pick<Importer, 'put' | 'putJob'> = {
      put: (parcel) => importer.put(parcel),
      async putJob(record) {
        const [id = ''] = await idsOf(to);
        await writeByHand(project, `runs/${id}`, { ...(await to.getRun(id)), output: '"forged"' });
        return await importer.putJob(record);
      },
    };

    const forged = move({ path, to, importer: forging });

    await expect(forged).rejects.toThrow(/the copy is not the same: checksum is/);
  }, 60_000);

  test('a destination that is not empty is refused, and so is one of another move', async () => {
    const path = await lived();
    const filled = open();
    await move({ path, to: filled });

    await expect(move({ path, to: filled })).rejects.toThrow('was moved there already');
    const used = open();
    await used.commit(commit(jobRecord({ name: 'other' })));
    await expect(move({ path, to: used })).rejects.toThrow('the destination is not empty');
  }, 60_000);

  test('a half-filled store is not served', async () => {
    const path = await lived();
    const project = newProject();
    const to = open(project);
    await move({ path, to, importer: breaking(to.importer(), 2) }).catch(() => undefined);
    const service = await openService(jobs, { project });

    await expect(register(service)).rejects.toThrow('this store is being filled from');
  }, 60_000);
});

function changeByHand(path: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec('UPDATE jobs SET rev = rev + 1');
  } finally {
    db.close();
  }
}

describe('a sealed database', () => {
  test('is not sealed while a server has it open', async () => {
    const db = join(tempFolder(), 'punctual.db');
    const server = await startServer({ PUNCTUAL_DB: db, PUNCTUAL_JOBS: fixture('slow.ts') });

    expect(() => sealDatabase(db, { to: 'there', at: 'today' })).toThrow(
      `${db} is in use: stop the server first`,
    );
    await server.end('SIGTERM');
    sealDatabase(db, { to: 'there', at: 'today' });
    expect(existsSync(db)).toBe(true);
  }, 60_000);

  test('starts no server, takes no change from anybody, and can be given back', async () => {
    const db = join(tempFolder(), 'punctual.db');
    const server = await startServer({ PUNCTUAL_DB: db });
    await server.end('SIGTERM');
    sealDatabase(db, { to: 'firestore:there', at: 'today' });

    const { status, output } = await failToStart({ PUNCTUAL_DB: db });
    const change = (): void => changeByHand(db);

    expect([status, output]).toEqual([1, expect.stringMatching(/moved to firestore:there/)]);
    expect(change).toThrow('sealed: its jobs moved to another store');
    expect(unsealDatabase(db)).toBe(true);
    expect(change).not.toThrow();
    expect(unsealDatabase(db)).toBe(false);
  }, 60_000);
});
