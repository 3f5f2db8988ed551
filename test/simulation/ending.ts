import type { JobRecord } from '../../server/core/records.ts';
import { compactInstant } from '../../server/core/time.ts';
import { isFull } from './seen.ts';
import { POISON } from './setting.ts';
import type { World } from './world.ts';

/**
 * Lets a healed world go on until everything that was left behind must have been found, and checks
 * that it was: I13 and I15.
 */
export async function endsWell(world: World): Promise<void> {
  const { leaseMs, tickMs } = world.timing;
  // Commits that come late come within a lease; what they leave is found in one more.
  await world.run(world.now + 3 * leaseMs + 2 * tickMs);
  if (!world.processes.some(({ ready }) => ready)) return world.fail('I13 no process comes up');
  // After a rollback the jobs of the newer build are retired when it was not seen for a while.
  const { rollbackAfterMs, seenEveryMs } = world.timing;
  if (await someAreForeign(world)) await world.run(world.now + rollbackAfterMs + seenEveryMs);
  if (world.violation !== undefined) return;
  const suspects = await allUnfinished(world);
  await world.run(world.now + 3 * tickMs + 20_000);
  if (world.violation !== undefined) return;
  // Work that is being done moves the job's record on; what stands still is stuck.
  for (const [rev, wrong] of await allUnfinished(world)) {
    if (suspects.has(rev)) return world.fail(wrong);
  }
}

async function someAreForeign(world: World): Promise<boolean> {
  const jobs = await world.store.listJobs({ limit: 100 });
  return jobs.some(
    ({ name, record }) =>
      record?.retiredAt === null && !world.processes.some(({ deps }) => deps.registry.has(name)),
  );
}

/** What should have been done by now, by the name and revision of the job. */
async function allUnfinished(world: World): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { record } of await world.store.listJobs({ limit: 100 })) {
    if (record === undefined || record.name === POISON) continue;
    const wrong = unfinished(world, record);
    if (wrong !== undefined) found.set(`${record.name} ${record.rev}`, wrong);
  }
  return found;
}

const ROOM_ENOUGH = 4;

function unfinished(world: World, record: JobRecord): string | undefined {
  const { name, active, retries, queue, backfill, retiredAt, paused } = record;
  const { leaseMs, tickMs } = world.timing;
  const now = world.storeNow;
  const known = world.processes.some(({ deps }) => deps.registry.has(name));
  for (const [id, lease] of Object.entries(active)) {
    const held = [...world.witness.live].some(
      ({ fence, job }) => job === name && fence === lease.fence,
    );
    const age = now - lease.renewedAt;
    if (!held && age > lease.leaseMs + lease.graceMs + tickMs + 1000) {
      return `I13 ${lease.runId} is running, but its attempt ${id} is dead since ${age} ms`;
    }
    const marked = lease.cancel === null ? 0 : now - lease.cancel.at;
    if (marked > leaseMs + lease.graceMs + tickMs + 60_000) {
      return `I15 ${lease.runId} was cancelled ${marked} ms ago, and still runs`;
    }
  }
  // With little room what waits may wait for other jobs' runs for long.
  const room = world.setting.room >= ROOM_ENOUGH;
  if (retiredAt !== null || !known || !room) return undefined;
  const waits = retries.find(({ notBefore }) => notBefore < now - tickMs - 10_000);
  if (waits !== undefined) return `I13 ${waits.runId} should have been tried again`;
  if (isFull(record)) return undefined;
  const [queued] = queue;
  if (queued !== undefined && queued.since < now - 2 * tickMs) {
    return `I13 ${queued.runId} is queued, and nothing is in its way`;
  }
  if (backfill !== null && backfill.since < now - 2 * tickMs) return `I13 ${name}: backfill stands`;
  if (paused !== null) return undefined;
  const until = now - 2 * tickMs;
  const [undecided] = world.witness.ledgers.get(name)?.undecided(record, until) ?? [];
  if (undecided === undefined) return undefined;
  return `I13 ${name} ${compactInstant(undecided)} is undecided, and nothing is in its way`;
}
