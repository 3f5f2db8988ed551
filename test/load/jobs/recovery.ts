import { defineJob, type Handler } from '../../../server/core/job.ts';
import { quick, working } from '../handlers.ts';

/** Work that is interrupted in the middle, and is done at once when it is tried again. */

const TOO_LONG_MS = 540_000;
const long = working(TOO_LONG_MS);
const longAtFirst: Handler = (context) => (context.attempt === 1 ? long(context) : quick(context));

export default [
  defineJob({ name: 'fails-when-lost', run: longAtFirst }),
  defineJob({ name: 'retries-when-lost', onLost: 'retry', run: longAtFirst }),
];
