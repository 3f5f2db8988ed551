import { randomBytes, sign, verify, type KeyObject } from 'node:crypto';
import type { Instant } from '../../core/time.ts';
import { SESSION_MS } from './cookies.ts';
import { publicKeyOf } from './token-key.ts';
import type { Token } from './token-list.ts';

/*
 * Who signed in with a token has a cookie: which token, until when, and a signature by the token's
 * private half, which nobody has who has not the token itself. Any instance can check it, and none
 * has to remember it; it ends with its time, or with its token.
 */

const FORM = /^([a-z0-9]{10})\.(\d{13,14})\.([\w-]{22})\.([\w-]{86})$/;

/** A session of a token from `now` on. */
export function makeSession(token: Pick<Token, 'id'>, key: KeyObject, now: Instant): string {
  const nonce = randomBytes(16).toString('base64url');
  const said = `${token.id}.${now + SESSION_MS}.${nonce}`;
  return `${said}.${sign(null, signed(said), key).toString('base64url')}`;
}

/** The token that a session was signed in by; undefined for one that is over, or none of ours. */
export function tokenOfSession(
  session: string,
  tokens: readonly Token[],
  now: Instant,
): Token | undefined {
  const [, id, until, nonce, signature] = FORM.exec(session) ?? [];
  const token = tokens.find((one) => one.id === id);
  const ends = Number(until);
  // A time that lies too far ahead was not made here.
  if (token === undefined || ends <= now || ends > now + SESSION_MS + TOLERANCE_MS)
    return undefined;
  const said = `${token.id}.${ends}.${nonce}`;
  const proof = Buffer.from(signature ?? '', 'base64url');
  return verify(null, signed(said), publicKeyOf(token), proof) ? token : undefined;
}

/** How far the clocks of two instances may be apart. */
const TOLERANCE_MS = 60_000;

/** So that a signature stands for a session, and for nothing else that may ever be signed. */
const signed = (said: string): Buffer => Buffer.from(`punctual session ${said}`);
