import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';

/*
 * How secrets are kept: AES-256-GCM under a key derived (HKDF-SHA256) from one that the environment
 * has. Each text is bound to where it belongs, so that it can be read nowhere else. The nonces are
 * drawn: of one key they are good for 2 ** 32 secrets, one a second for 136 years.
 */

/** Where a secret belongs. */
export interface Whereabouts {
  readonly job: string;
  readonly runId: string;
  /** JSON pointer within the input. */
  readonly pointer: string;
}

/** Why a secret can't be read, in words for whoever sees the run. */
export class SecretUnreadable extends Error {
  override readonly name = 'SecretUnreadable';
}

/** One or several keys of 32 bytes between commas, each as 64 hex digits or as base64. */
export const SECRET_KEYS =
  /^\s*(?:[\dA-Fa-f]{64}|[\w+/-]{43}=?)(?:\s*,\s*(?:[\dA-Fa-f]{64}|[\w+/-]{43}=?))*\s*$/;

const HEX = /^[\dA-Fa-f]{64}$/;
const VERSION = 'v1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Lengths tell of short secrets: they are told in steps of this many bytes. */
const PADDED_TO = 32;

/** A text as it is stored: version, key, nonce, and tag and ciphertext in one. */
const STORED = /^v1\.([\w-]{8})\.([\w-]{16})\.([\w-]{22,})$/;

export const isEncrypted = (text: string): boolean => STORED.test(text);

interface Key {
  readonly id: string;
  readonly encrypting: KeyObject;
  readonly signing: KeyObject;
}

/** Holds the keys where nothing that prints an object finds them. The first one encrypts. */
export class Cipher {
  readonly #keys: ReadonlyMap<string, Key>;
  readonly #first: Key;

  /** `keys` as the environment has them, of the form above. */
  constructor(keys: string) {
    const all = keys.split(',').map((text) => keyOf(text.trim()));
    const [first] = all;
    if (first === undefined) throw new Error('a cipher needs a key');
    this.#first = first;
    this.#keys = new Map(all.map((key) => [key.id, key]));
  }

  encrypt(text: string, where: Whereabouts): string {
    const { id, encrypting } = this.#first;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', encrypting, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(bound(where));
    const body = Buffer.concat([cipher.update(padded(text)), cipher.final()]);
    const kept = Buffer.concat([cipher.getAuthTag(), body]);
    return [VERSION, id, nonce.toString('base64url'), kept.toString('base64url')].join('.');
  }

  /** The text again, with blanks behind it. Throws `SecretUnreadable`. */
  decrypt(stored: string, where: Whereabouts): string {
    const [, id = '', nonce = '', kept = ''] = STORED.exec(stored) ?? [];
    const key = this.#keys.get(id);
    const what = `the secret ${placeOf(where)}`;
    if (key === undefined) {
      throw new SecretUnreadable(
        `${what} was encrypted with the key "${id}", which PUNCTUAL_SECRET_KEY does not have: ` +
          'add that key to it, behind the one in use',
      );
    }
    const bytes = Buffer.from(kept, 'base64url');
    const from = Buffer.from(nonce, 'base64url');
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv('aes-256-gcm', key.encrypting, from, options);
    decipher.setAAD(bound(where));
    try {
      decipher.setAuthTag(bytes.subarray(0, TAG_BYTES));
      const text = [decipher.update(bytes.subarray(TAG_BYTES)), decipher.final()];
      return Buffer.concat(text).toString();
    } catch {
      throw new SecretUnreadable(
        `${what} can't be decrypted: what is stored was changed, or belongs somewhere else`,
      );
    }
  }

  /** A text that stands for another one, and tells nothing of it to who has no key. */
  sign(text: string): string {
    return signature(this.#first, text);
  }

  /** Whether a text was signed so, by any of the keys. */
  signed(text: string, stored: string): boolean {
    const key = this.#keys.get(stored.split('.')[0] ?? '');
    if (key === undefined) return false;
    const [is, should] = [Buffer.from(stored), Buffer.from(signature(key, text))];
    return is.length === should.length && timingSafeEqual(is, should);
  }
}

/** `/input/token`, as problems of an input have it. */
export const placeOf = ({ pointer }: Pick<Whereabouts, 'pointer'>): string => `/input${pointer}`;

function keyOf(text: string): Key {
  const master = Buffer.from(text, HEX.test(text) ? 'hex' : 'base64');
  if (master.length !== 32) throw new Error('a key for secrets is 32 bytes');
  const derive = (use: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', master, '', `punctual ${use}`, bytes));
  return {
    id: derive('key id', 6).toString('base64url'),
    encrypting: createSecretKey(derive('secrets v1', 32)),
    signing: createSecretKey(derive('requests v1', 32)),
  };
}

const bound = ({ job, runId, pointer }: Whereabouts): Buffer =>
  Buffer.from(JSON.stringify([VERSION, job, runId, pointer]));

/** Blanks behind a text of JSON mean nothing. */
function padded(text: string): Buffer {
  const bytes = Buffer.from(text);
  const rest = PADDED_TO - (bytes.length % PADDED_TO);
  return Buffer.concat([bytes, Buffer.alloc(rest, ' ')]);
}

const signature = ({ id, signing }: Key, text: string): string =>
  `${id}.${createHmac('sha256', signing).update(text).digest('base64url')}`;
