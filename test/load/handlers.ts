import { setTimeout as wait } from 'node:timers/promises';
import { openJournal } from '../chaos/journal.ts';
import type { Handler, JobContext } from '../../server/core/job.ts';

/** Handlers that write down when they begin and end, past the store, for whoever judges it. */

const write = openJournal(process.env['LOAD_FOLDER'] ?? '');
const STEP_MS = 100;

/** Does what a job does, between its two lines. What it throws is written down too. */
export const written =
  (work: (context: JobContext) => unknown): Handler =>
  async (context) => {
    const at = placeOf(context);
    write('begin', process.pid, at);
    try {
      const output = await work(context);
      write('end', process.pid, `${at} done`);
      return output;
    } catch (error) {
      write('end', process.pid, `${at} ${context.signal.aborted ? 'stopped' : 'failed'}`);
      throw error;
    }
  };

/** Begins and ends in one turn. */
export const quick: Handler = (context) => {
  const at = placeOf(context);
  write('begin', process.pid, at);
  write('end', process.pid, `${at} done`);
};

/** Works for so long, with an effect after each look at its signal. */
export const working = (ms: number): Handler =>
  written(async (context) => {
    const until = Date.now() + ms;
    while (Date.now() < until) {
      await wait(STEP_MS);
      context.signal.throwIfAborted();
      write('effect', process.pid, placeOf(context));
    }
  });

const placeOf = ({ job, runId, attempt, fence }: JobContext): string =>
  `${job} ${runId} ${attempt} ${fence}`;
