import { hash } from 'node:crypto';
import { compactInstant, type Instant } from './time.ts';

/** Run ids: `job@instant` for an occurrence, `job!…` for what a person asked for. */

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** RFC 4648 base32 in lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let bits = 0;
  let value = 0;
  let text = '';
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32.charAt((value >>> bits) & 31);
    }
  }
  return bits > 0 ? text + BASE32.charAt((value << (5 - bits)) & 31) : text;
}

const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer');

/** One key of one job is one run, for as long as the run is kept. */
export const manualRunId = (job: string, key: string): string => `${job}!${base32(sha256(key))}`;

/** For who asked without a key; `id` is a new one. */
export const unkeyedRunId = (job: string, id: string): string => `${job}!${id}`;

/** One key of one job is one backfill, for as long as the job's record tells of it. */
export const backfillId = (key: string): string => base32(sha256(`backfill\n${key}`)).slice(0, 26);

export const backfillRunId = (job: string, backfillId: string, at: Instant): string =>
  `${job}!${base32(sha256(`${backfillId}\n${compactInstant(at)}`))}`;

/** Tells two requests under one key apart. */
export const requestHash = (parts: readonly (string | null)[]): string =>
  hash('sha256', JSON.stringify(parts), 'base64url');

export const specHash = (value: unknown): string =>
  hash('sha256', JSON.stringify(value), 'base64url').slice(0, 22);

/** Whether a text can be a job's name: small letters, digits and hyphens, at most 63. */
export const isJobName = (text: string): boolean => JOB_NAME.test(text);

export const JOB_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const RUN_ID = /^([a-z0-9][a-z0-9-]{0,62})[@!][A-Za-z0-9.~-]{1,120}$/;

/** The job a run belongs to, read off its id; undefined for what is no run id. */
export function jobOfRun(runId: string): string | undefined {
  return RUN_ID.exec(runId)?.[1];
}
