import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Finding } from '../../scripts/doctor-finding.ts';
import { emulator } from '../firestore/fixture.ts';
import { startServer, tempFolder } from '../process/server.ts';
import type { FakeScheduler } from '../triggers/fake-scheduler.ts';
import { callBeside } from './call.ts';

/** Deployments that are made for commands to look at; and the doctor, called as a process. */

export type Env = Record<string, string>;

export const GOOGLE = {
  PUNCTUAL_LOCATION: 'europe-west1',
  PUNCTUAL_SERVICE_URL: 'https://punctual.example.com',
  PUNCTUAL_SCHEDULER_ACCOUNT: 'ticker@shop.iam.gserviceaccount.com',
};

export const FIRESTORE = { PUNCTUAL_STORE: 'firestore', FIRESTORE_EMULATOR_HOST: emulator ?? '' };

/** Keeps Google's library from looking for a machine that has some. */
export const NO_CREDENTIALS = { METADATA_SERVER_DETECTION: 'none' };

export const DAILY = { name: 'report', schedule: '30 2 * * *', timeout: '20s' };

/** A module of jobs with these definitions, in a folder of its own. */
export function jobsModule(...definitions: readonly object[]): Env {
  const path = join(tempFolder(), 'jobs.ts');
  const made = definitions.map(
    (one) => `defineJob({ ...${JSON.stringify(one)}, run: () => undefined })`,
  );
  const job = new URL('../../server/core/job.ts', import.meta.url).href;
  writeFileSync(path, `import { defineJob } from '${job}';\nexport default [${made.join(', ')}];`);
  return { PUNCTUAL_JOBS: path };
}

/** Every line that a person is shown fits, whatever is found. */
export async function doctor(env: Env, ...words: readonly string[]) {
  const told = await callBeside('doctor.ts', words, env);
  expect(told.out.split('\n').filter((line) => line.length > 100)).toEqual([]);
  return told;
}

/** The findings that are neither ok nor left out, as `check: mark: text → what to do`. */
export async function found(env: Env, ...words: readonly string[]) {
  const { status, out, err } = await callBeside('doctor.ts', ['--json', ...words], env);
  const { findings }: { findings: Finding[] } = JSON.parse(out);
  const lines = findings
    .filter(({ mark }) => mark === 'warn' || mark === 'bad')
    .map(({ check, mark, says, todo }) => `${mark} ${check}: ${says} → ${todo}`);
  return { status, err, lines, findings };
}

export const markOf = (findings: readonly Finding[], check: string) =>
  findings.find((one) => one.check === check)?.mark;

/** A server that was there once, so that its jobs are on record. */
export async function serve(env: Env): Promise<void> {
  const server = await startServer(env);
  await server.end('SIGTERM');
}

export const apply = (fake: FakeScheduler, env: Env) =>
  callBeside('scheduler-sync.ts', ['--apply'], {
    ...env,
    PUNCTUAL_SCHEDULER_ENDPOINT: fake.address,
  });
