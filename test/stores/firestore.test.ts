import { setTimeout } from 'node:timers/promises';
import { describe } from 'vitest';
import { emulator, newProject, openStore, writeByHand } from '../firestore/fixture.ts';
import { sharedStoreContract, storeContract } from '../store-contract.ts';

const open = async () => {
  const project = newProject();
  return {
    store: openStore({ project }),
    pass: (ms: number) => setTimeout(ms),
    reopen: async () => openStore({ project }),
    damage: (name: string, record: unknown) => writeByHand(project, `jobs/${name}`, record),
    stampLagMs: 5000,
  };
};

describe.skipIf(emulator === null)('Firestore', () => {
  storeContract('Firestore on the emulator', open);
  sharedStoreContract('Firestore on the emulator', open);
});
