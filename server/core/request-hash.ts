import { requestHash } from './ids.ts';
import type { Run } from './records.ts';
import type { Cipher } from './secrets/cipher.ts';

/*
 * What an idempotency key stands for: two requests under one key are told apart by a hash. A hash
 * of a secret could be found by trying, so where there is one it is made with a key, over the input
 * as it was given.
 */

/** What was asked for under a key. */
export interface Asked {
  readonly job: string;
  /** JSON text of the input as it was given. */
  readonly input: string | null;
  readonly beside: boolean;
  readonly rerunOf: string | null;
}

/** Of a run that repeats none it is what it always was. */
const plainHash = ({ job, input, beside, rerunOf }: Asked): string => {
  const parts = [job, input, beside ? 'beside' : null];
  return requestHash(rerunOf === null ? parts : [...parts, rerunOf]);
};

const SIGNED = 'signed';

/** The hash of a request; `cipher` where its input has a secret in it. */
export const hashOfRequest = (asked: Asked, cipher: Cipher | null): string =>
  cipher === null
    ? plainHash(asked)
    : [SIGNED, repeating(asked.job, asked.rerunOf), cipher.sign(partsOf(asked))].join(':');

/** Whether a stored hash is of the same request, whichever key it was made with. */
export function isSameRequest(stored: string | null, asked: Asked, cipher: Cipher | null): boolean {
  const [kind, repeats, signature] = (stored ?? '').split(':');
  if (kind !== SIGNED || signature === undefined) return stored === plainHash(asked);
  if (repeats !== repeating(asked.job, asked.rerunOf)) return false;
  return cipher?.signed(partsOf(asked), signature) === true;
}

/** Whether a run repeats its `cause`; else that is the run that replaced it, or caused it. */
export function isRerun({ trigger, job, input, cause, requestHash: hash }: Run): boolean {
  if (trigger !== 'manual' || cause === null) return false;
  const [kind, repeats] = (hash ?? '').split(':');
  if (kind === SIGNED) return repeats === repeating(job, cause);
  return [false, true].some((beside) => hash === plainHash({ job, input, beside, rerunOf: cause }));
}

/** Names the run that is repeated, without a secret in it: it can be compared without the key. */
const repeating = (job: string, rerunOf: string | null): string =>
  rerunOf === null ? '' : requestHash([job, 'repeats', rerunOf]);

const partsOf = ({ job, input, beside, rerunOf }: Asked): string =>
  JSON.stringify([job, input, beside, rerunOf]);
