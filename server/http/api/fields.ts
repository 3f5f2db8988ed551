import * as v from 'valibot';
import { JOB_NAME, RUN_ID } from '../../core/ids.ts';
import { isRunState, RUN_STATES, type RunState } from '../../core/run.ts';
import { parseInstant } from '../../core/time.ts';
import { NO_INSTANT, wholeIn } from '../read.ts';

/*
 * Fields of requests. Of an address, a query and headers they are text: `metadata` says what the
 * text stands for, as the document tells it.
 */

/** What it is for, and what it looks like, as the document tells it. */
const told = <Input>(
  description: string,
  more: Readonly<Record<string, unknown>> = {},
): v.MetadataAction<Input, Readonly<Record<string, unknown>>> =>
  v.metadata({ description, ...more });

export const jobName = v.pipe(
  v.string(),
  v.regex(JOB_NAME, 'not a job name: lower-case letters, digits, hyphens'),
  told('A job’s name.', { examples: ['nightly-report'] }),
);

export const runId = v.pipe(
  v.string(),
  v.regex(RUN_ID, 'not a run id'),
  told('A run’s id. It has to be encoded as one part of an address.', {
    examples: ['nightly-report@20260301T020000Z'],
  }),
);

export const backfillIdText = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9]{1,64}$/, 'not a backfill id'),
  told('A backfill’s id.'),
);

/** An RFC 3339 instant. */
export const instant = (description: string) =>
  v.pipe(
    v.string(NO_INSTANT),
    told(description, { format: 'date-time', examples: ['2026-03-07T07:30:00Z'] }),
    v.rawTransform<string, number>(({ dataset, addIssue, NEVER }) => {
      const at = parseInstant(dataset.value);
      if (at !== undefined) return at;
      addIssue({ message: NO_INSTANT });
      return NEVER;
    }),
  );

/** A whole number, as text. */
export const wholeNumber = (
  description: string,
  { min, max }: { readonly min: number; readonly max: number },
) =>
  v.pipe(
    v.string(),
    told(description, { type: 'integer', minimum: min, maximum: max }),
    v.rawTransform<string, number>(({ dataset, addIssue, NEVER }) => {
      const read = wholeIn(dataset.value, { min, max });
      if ('value' in read) return read.value;
      addIssue({ message: read.wrong });
      return NEVER;
    }),
  );

/** How many there are on a page. */
export const limit = (preset: number, max: number) =>
  v.optional(wholeNumber('How many there are on a page at most.', { min: 1, max }), String(preset));

/** Longer ones were not given out. */
const CURSOR_LIMIT = 1000;
const NO_CURSOR = 'was not given out by this list; start without one';

export const cursor = v.pipe(
  v.string(),
  v.maxLength(CURSOR_LIMIT, NO_CURSOR),
  told('Goes on where the page that gave it as `next` has ended.'),
);

/** The same for a list in the order of jobs' names. */
export const nameCursor = v.pipe(
  v.string(),
  v.regex(JOB_NAME, NO_CURSOR),
  told('Goes on where the page that gave it as `next` has ended.'),
);

/** Text to look for. */
export const text = (description: string, most: number) =>
  v.pipe(v.string(), v.maxLength(most, `expected at most ${most} characters`), told(description));

/** One of a few words. */
export const oneOf = <const Words extends readonly string[]>(description: string, words: Words) =>
  v.pipe(
    v.picklist(words, `expected ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`),
    told(description),
  );

/** Such as `failed,lost`. */
export const runStates = v.pipe(
  v.string(),
  told('Only runs in one of these states, which are written with commas between them.', {
    type: 'array',
    items: { type: 'string', enum: RUN_STATES },
    minItems: 1,
    examples: ['failed,lost'],
  }),
  v.rawTransform<string, readonly RunState[]>(({ dataset, addIssue, NEVER }) => {
    const states = dataset.value.split(',');
    const wrong = states.filter((state) => !isRunState(state));
    if (wrong.length === 0) return states.filter(isRunState);
    const which = wrong.slice(0, 5).map((state) => `"${state.slice(0, 40)}"`);
    const expected = `expected some of ${RUN_STATES.join(', ')}`;
    addIssue({ message: `${which.join(', ')} is no state; ${expected}` });
    return NEVER;
  }),
);

/** The `Idempotency-Key` header. */
export const idempotencyKey = v.pipe(
  v.string('expected one value of 1 to 255 printable ASCII characters'),
  v.regex(/^(?=.*[!-~])[ -~]{1,255}$/, 'expected one value of 1 to 255 printable ASCII characters'),
  told(
    'A text of the caller’s that stands for this request: sent again with it, the request does ' +
      'nothing more, and is answered by what the first one made.',
    { examples: ['deploy-7'] },
  ),
);

/** Seconds of `Prefer: wait=N` (RFC 7240), in ms, at most `maxMs`; undefined for no such wish. */
export const preferWait = (maxMs: number) =>
  v.pipe(
    v.string(),
    told(`\`wait=N\` waits until the run is over, for N seconds and ${maxMs / 1000} at most.`, {
      examples: ['wait=60'],
    }),
    v.transform((text): number | undefined => {
      const [, seconds] = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?/i.exec(text) ?? [];
      return seconds === undefined ? undefined : Math.min(Number(seconds) * 1000, maxMs);
    }),
  );

/** The `traceparent` header. What is none is passed over, as its specification wants. */
export const traceparent = v.pipe(
  v.string(),
  told('The W3C trace that the run becomes a part of.', {
    examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  }),
);

const NOTE_LIMIT = 500;
const NOTE = `expected text of at most ${NOTE_LIMIT} characters`;

/** A few words of a person. */
export const note = (description: string) =>
  v.pipe(v.string(NOTE), v.maxLength(NOTE_LIMIT, NOTE), told(description));

export const overlap = v.pipe(
  v.literal('allow', 'only "allow" may be asked for'),
  told('`allow` starts the run beside whatever runs, whatever the job’s policy says.'),
);
