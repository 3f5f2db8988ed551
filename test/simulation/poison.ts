import { commit, jobRecord } from '../builders.ts';
import { EPOCH } from './machine.ts';
import { POISON } from './setting.ts';
import type { World } from './world.ts';

/** Stores a job about which nobody can decide, always due before all others. */
export async function poison(world: World): Promise<void> {
  const schedules = [{ schedule: 'every full moon', timeZone: 'UTC', from: EPOCH - 1 }];
  const times = { registeredAt: EPOCH - 1, watermark: EPOCH - 1, nextActionAt: EPOCH - 1 };
  const record = jobRecord({ name: POISON, schedules, ...times });
  await world.store.commit(commit(record, { op: 'poison', decidedAt: EPOCH }));
}
