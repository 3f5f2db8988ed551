import type { TestProject } from 'vitest/node';
import { findEmulator, startEmulator } from './firestore/emulator.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the Firestore emulator listens; null where it is not installed. */
    emulator: string | null;
  }
}

/** Starts what several test files share. In CI nothing may be left out for want of it. */
export default async function setup(project: TestProject): Promise<() => void> {
  const jar = findEmulator();
  if (jar === undefined) {
    const what = 'the Firestore emulator is not installed (gcloud: cloud-firestore-emulator)';
    if (process.env['CI'] !== undefined) throw new Error(what);
    process.stdout.write(`${what}: its tests are left out\n`);
    project.provide('emulator', null);
    return () => undefined;
  }
  const emulator = await startEmulator(jar);
  project.provide('emulator', emulator.address);
  return () => emulator.stop();
}
