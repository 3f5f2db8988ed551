import { setTimeout as wait } from 'node:timers/promises';
import { defineJob } from '../../../server/core/job.ts';
import { FLOODED } from '../flood-answers.ts';
import { quick, written } from '../handlers.ts';

/** One job at which all is sent, with an occurrence each second besides; and others beside it. */
const OTHERS = 20;
const TAKES_MS = 20;

export default [
  defineJob({
    name: FLOODED,
    schedule: '* * * * * *',
    overlap: 'skip',
    run: written(() => wait(TAKES_MS)),
  }),
  ...Array.from({ length: OTHERS }, (_, n) =>
    defineJob({ name: `other-${n}`, schedule: '* * * * * *', run: quick }),
  ),
];
