import type { JobContext } from '../../server/core/job.ts';
import type { Run } from '../../server/core/records.ts';
import { byHand } from '../service.ts';
import { json, serve } from './client.ts';

/** Runs behind a real port, and what their pages' tests ask of them. */

export const pathOf = (run: Pick<Run, 'id'>, more = ''): string =>
  `/runs/${encodeURIComponent(run.id)}${more}`;

/** After so long what was logged is on record. */
export const FLUSH_MS = 1000;

/** A job that works until it is told to stop, and fails then. */
export const waiting = byHand({
  name: 'waits',
  run: ({ log, progress, signal }: JobContext) => {
    log('at work');
    progress(1, 4);
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason)),
    );
  },
});

export const echo = byHand({ name: 'echo', run: ({ log }: JobContext) => log('done') });

/** A service that was asked for a run of one of its jobs. */
export async function started(jobs: Parameters<typeof serve>[0], name: string, input?: unknown) {
  const served = await serve(jobs);
  const path = `/api/v1/jobs/${name}/runs`;
  const { status, text } = await served.ask(
    'POST',
    path,
    json(input === undefined ? {} : { input }),
  );
  if (status !== 202) throw new Error(text);
  await served.service.settle();
  return { ...served, run: await served.service.lastRun() };
}
