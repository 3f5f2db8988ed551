import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  randomInt,
  scrypt,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';

/*
 * A token is a name and a secret of 256 random bits, `pun_<id>_<secret>`. From the secret comes, by
 * scrypt, the private half of an Ed25519 key; the store keeps the public half alone. So what is in
 * the store, or in a copy of it, lets nobody in and signs nobody in, and the service needs no
 * secret of its own to sign sessions with.
 */

export interface TokenKey {
  /** Names the token, and may be seen. */
  readonly id: string;
  readonly salt: string;
  /** The public half, base64url. */
  readonly publicKey: string;
}

const FORM = /^pun_([a-z0-9]{10})_([\w-]{43})$/;
/** 16 MB and some 50 ms each: much for who guesses, little beside 256 bits that nobody guesses. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const ID_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
/** What PKCS #8 puts before the 32 bytes of an Ed25519 key (RFC 8410, 7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A new token: its text, to be shown once, and what is kept of it. */
export async function makeToken(): Promise<{ readonly text: string; readonly key: TokenKey }> {
  const id = Array.from({ length: 10 }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
  const text = `pun_${id}_${randomBytes(32).toString('base64url')}`;
  const salt = randomBytes(16).toString('base64url');
  const privateKey = await privateKeyOf(text, salt);
  return { text, key: { id, salt, publicKey: publicHalf(privateKey) } };
}

/** Whether it is as `makeToken` makes it, and nobody has changed it by hand. */
export const isTokenKey = ({ id, salt, publicKey }: Record<keyof TokenKey, unknown>): boolean =>
  hasForm(id, /^[a-z0-9]{10}$/) &&
  hasForm(salt, /^[\w-]{22}$/) &&
  hasForm(publicKey, /^[\w-]{43}$/);

const hasForm = (part: unknown, form: RegExp): boolean =>
  typeof part === 'string' && form.test(part);

/** The id that a text has if it is a token; undefined where it can't be one. */
export const tokenIdOf = (text: string): string | undefined => FORM.exec(text)?.[1];

/** Where a text may be shown: that it is a token, and nothing of its secret. */
export const looksLikeToken = (text: string): boolean => text.startsWith('pun_');

/** The private half for a token's text, if it is the one whose public half is kept. */
export async function openKey(text: string, key: TokenKey): Promise<KeyObject | undefined> {
  if (tokenIdOf(text) !== key.id) return undefined;
  const privateKey = await privateKeyOf(text, key.salt);
  return same(publicHalf(privateKey), key.publicKey) ? privateKey : undefined;
}

/** The public half as a key that checks signatures. */
export const publicKeyOf = ({ publicKey }: Pick<TokenKey, 'publicKey'>): KeyObject =>
  createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });

/** Stands for a text that must not be kept. */
export const digest = (text: string): string =>
  createHash('sha256').update(text).digest('base64url');

/** Compares in a time that tells nothing of where two texts differ. */
export function same(a: string, b: string): boolean {
  const [one, other] = [digest(a), digest(b)].map((text) => Buffer.from(text));
  return one !== undefined && other !== undefined && timingSafeEqual(one, other);
}

async function privateKeyOf(text: string, salt: string): Promise<KeyObject> {
  const seed = await new Promise<Buffer>((resolve, reject) => {
    scrypt(text, Buffer.from(salt, 'base64url'), 32, COST, (error, made) =>
      error === null ? resolve(made) : reject(error),
    );
  });
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

const publicHalf = (privateKey: KeyObject): string =>
  createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '';
