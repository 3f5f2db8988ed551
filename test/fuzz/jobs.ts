import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { defineJob, type Handler, type JobContext } from '../../server/core/job.ts';
import { LIVELY, NOT_YOURS } from './canary.ts';

/*
 * Jobs of every kind that a request can meet. None comes due by itself while the fuzzer runs, so
 * that whatever is written is written by a request, or by a run that a request has started.
 */

/** Runs of these go on until somebody cancels them. */
export const HOLDING: ReadonlySet<string> = new Set(['holds', 'lines-up', 'past-holds']);
/** What a token is limited to that is limited to some jobs. */
export const LIMITED_TO: readonly string[] = ['echo', 'holds', 'past'];

/** Says nothing, for what it says would be written while others are looked at. */
const hold: Handler = ({ signal }: JobContext) =>
  new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error('was told to stop')), { once: true }),
  );

function talk({ log, progress }: JobContext): string {
  for (let n = 0; n < 120; n++) log(`line ${n} of many`);
  for (const text of LIVELY) log.warn(text, { text, nested: { [text]: [text] } });
  progress(1, 2);
  log.error('x'.repeat(3000));
  return LIVELY.join(' ');
}

const short = v.pipe(v.string(), v.maxLength(200));
const echoed = toStandardJsonSchema(
  v.object({
    text: v.optional(short),
    count: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(50)), 5),
    mode: v.optional(v.picklist(['new', 'all', 'none']), 'new'),
    shops: v.optional(v.pipe(v.array(v.pipe(short, v.minLength(1))), v.maxLength(20))),
    dryRun: v.optional(v.boolean()),
    at: v.optional(v.nullable(v.object({ x: v.number(), y: v.number() }))),
    more: v.optional(v.record(v.string(), v.unknown())),
  }),
);
const login = toStandardJsonSchema(
  v.object({
    user: short,
    password: v.pipe(short, v.minLength(3), v.metadata({ secret: true })),
  }),
);

/** 29 February at midnight: enough of them have been, and the next is far away. */
const SELDOM = '0 0 29 2 *';
const described = { description: LIVELY.slice(0, 5).join(' '), tags: ['calm', 'loud'] };

export default [
  defineJob({
    name: 'echo',
    ...described,
    input: echoed,
    overlap: { allow: 8 },
    run: ({ input, log }: JobContext) => {
      log(JSON.stringify(input) ?? 'nothing');
      return input;
    },
  }),
  defineJob({ name: 'plain', run: () => undefined }),
  defineJob({ name: 'loud', run: talk }),
  defineJob({
    name: 'fails',
    retry: { attempts: 3, backoff: { from: '2h', factor: 2, to: '9h' } },
    run: () => {
      throw new TypeError(LIVELY.join('\n'));
    },
  }),
  defineJob({ name: 'fails-at-once', run: () => Promise.reject(new Error(LIVELY[1])) }),
  defineJob({ name: 'holds', timeout: '24h', run: hold }),
  defineJob({ name: 'lines-up', timeout: '24h', overlap: 'queue', run: hold }),
  defineJob({ name: 'past', schedule: SELDOM, run: ({ scheduledAt }: JobContext) => scheduledAt }),
  defineJob({ name: 'past-holds', schedule: SELDOM, timeout: '24h', run: hold }),
  defineJob({
    name: 'secretive',
    input: login,
    run: ({ input, log }: JobContext<{ user: string; password: string }>) => {
      log(`signs in as ${input.user} with ${input.password}`);
      return { user: input.user, password: input.password };
    },
  }),
  defineJob({ name: 'private', tags: [NOT_YOURS], run: () => NOT_YOURS }),
];
