import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import { openFirestoreStore, type FirestoreStore } from '../../server/stores/firestore.ts';
import { Rpc } from '../../server/stores/firestore-rpc.ts';
import { encode } from '../../server/stores/firestore-values.ts';
import { systemClock } from '../../server/process/clock.ts';
import type { Clock } from '../../server/core/time.ts';
import { needIndex } from './indexes.ts';

/** The emulator's address; null where it is not installed, and the tests of Firestore are left out. */
export const emulator = inject('emulator');

/** A project of its own keeps a test apart from all others. */
export const newProject = (): string => `p${randomUUID().slice(0, 8)}`;

export interface Opening {
  readonly project: string;
  readonly clock?: Clock;
  readonly address?: string;
  readonly callMs?: number;
}

/** A store on the emulator. Each query it asks must have its index, or it is told. */
export const openStore = ({ project, clock, address, callMs }: Opening): FirestoreStore =>
  openFirestoreStore({
    project,
    database: '(default)',
    emulator: address ?? emulator ?? '',
    callMs: callMs ?? 20_000,
    clock: clock ?? systemClock,
    onQuery: needIndex,
  });

/** What a person could do in the console: puts a document in the place of another. */
export async function writeByHand(project: string, path: string, value: unknown): Promise<void> {
  const rpc = new Rpc({ project, database: '(default)', emulator, callMs: 20_000 }, systemClock);
  const { fields } = encode(Object(value));
  await rpc.commit([{ update: { name: rpc.nameOf(path), fields } }]);
  await rpc.close();
}
