import { createPublicKey } from 'node:crypto';
import type { Certificates, OAuth2Client } from 'google-auth-library';
import type { Clock } from '../core/time.ts';
import { HttpError } from './errors.ts';

/** What is wrong with a token, for the log alone. */
export type TokenFault =
  | 'malformed'
  | 'algorithm'
  | 'unknown-key'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not-yet-valid'
  | 'lives-too-long'
  | 'email-unverified';

export type CheckedToken =
  | {
      readonly email: string;
      /** The Workspace or Cloud Identity domain that the account belongs to; null for none. */
      readonly domain: string | null;
    }
  | { readonly fault: TokenFault };

/** Google signs for accounts, and Identity-Aware Proxy for whom it lets through. */
export type Signer = 'google' | 'iap';

export interface GoogleTokenOptions {
  readonly signer: Signer;
  readonly audience: string;
  /** Where the certificates are, by key id, as PEM; null for Google's own address. */
  readonly certsUrl: string | null;
  readonly clock: Pick<Clock, 'wall'>;
}

/** https://cloud.google.com/iap/docs/signed-headers-howto */
const SIGNERS = {
  google: { issuers: ['https://accounts.google.com', 'accounts.google.com'], algorithm: 'RS256' },
  iap: { issuers: ['https://cloud.google.com/iap'], algorithm: 'ES256' },
} as const;
/** Google's have less than 1500 characters. */
const TOKEN_LIMIT = 4096;
/** How far Google's clock and ours may be apart; the library would allow five minutes. */
const TOLERANCE_S = 60;
/** The sender of a trigger waits for us meanwhile; one more try is made. */
const CERTS_TIMEOUT_MS = 5000;

/** How long the keys of Identity-Aware Proxy are kept, and when one that is new is asked for. */
const IAP_KEYS_MS = 3_600_000;
const IAP_KEYS_AGAIN_MS = 60_000;

/**
 * Checks the identity tokens that Google signs for accounts: signature, issuer, audience,
 * times, and that the e-mail is verified. Which account may do what is the caller's to decide.
 * The certificates are kept for as long as Google says (`max-age`), so a key that it withdraws is
 * refused after that time. Without them `check` throws 503: nobody is let in, and nobody is told
 * that the token is wrong.
 */
export class GoogleTokens {
  readonly #options: GoogleTokenOptions;
  #client: OAuth2Client | undefined;
  #asking: Promise<Certificates> | undefined;
  /** The last that were found to be certificates. */
  #sound: Certificates | undefined;
  /** When the keys of Identity-Aware Proxy were fetched. */
  #fetchedAt = -Infinity;

  constructor(options: GoogleTokenOptions) {
    this.#options = options;
  }

  async check(token: string): Promise<CheckedToken> {
    const formed = token.length <= TOKEN_LIMIT && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
    if (!formed) return { fault: 'malformed' };
    const { audience, clock, signer } = this.#options;
    const { issuers, algorithm: expected } = SIGNERS[signer];
    const client = await this.#open();
    const certs = await this.#certs(client, keyIdOf(token));
    try {
      const ticket = await client.verifySignedJwtWithCertsAsync(token, certs, audience, [
        ...issuers,
      ]);
      const { envelope, payload } = ticket.getAttributes();
      const algorithm: unknown = Reflect.get(Object(envelope), 'alg');
      // The library verifies by the key's kind whatever this says; another signer says otherwise.
      if (algorithm !== expected) return { fault: 'algorithm' };
      return checkClaims({ ...payload }, clock.wall() / 1000, signer);
    } catch (error) {
      return { fault: faultOf(error) };
    }
  }

  /** Imported when the first token comes: it would make every cold start longer. */
  async #open(): Promise<OAuth2Client> {
    const library = await import('google-auth-library');
    const { certsUrl, signer } = this.#options;
    const page = signer === 'iap' ? 'oauth2IapPublicKeyUrl' : 'oauth2FederatedSignonPemCertsUrl';
    this.#client ??= new library.OAuth2Client({
      ...(certsUrl !== null && { endpoints: { [page]: certsUrl } }),
      transporterOptions: {
        timeout: CERTS_TIMEOUT_MS,
        retryConfig: { retry: 1, noResponseRetries: 1 },
      },
    });
    return this.#client;
  }

  /** The library keeps certificates, but requests that come at once would each fetch them. */
  #certs(client: OAuth2Client, keyId: string | undefined): Promise<Certificates> {
    this.#asking ??= this.#fetchCerts(client, keyId).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #fetchCerts(client: OAuth2Client, keyId: string | undefined): Promise<Certificates> {
    try {
      const certs = await this.#page(client, keyId);
      if (certs !== this.#sound) mustBeCertificates(certs);
      this.#sound = certs;
      return certs;
    } catch (cause) {
      // The library may have kept what it got.
      this.#client = undefined;
      throw new HttpError(503, 'Unavailable', 'who asks cannot be told now; try again', {
        cause,
        headers: { 'Retry-After': '5' },
      });
    }
  }

  /** The library keeps Google's certificates by itself, and no keys of Identity-Aware Proxy. */
  async #page(client: OAuth2Client, keyId: string | undefined): Promise<Certificates> {
    const { signer, clock } = this.#options;
    if (signer === 'google') return (await client.getFederatedSignonCertsAsync()).certs;
    const kept = this.#sound;
    const age = clock.wall() - this.#fetchedAt;
    const isKnown = kept !== undefined && keyId !== undefined && Object.hasOwn(kept, keyId);
    const fresh = age >= 0 && age < (isKnown ? IAP_KEYS_MS : IAP_KEYS_AGAIN_MS);
    if (kept !== undefined && fresh) return kept;
    const { pubkeys } = await client.getIapPublicKeysAsync();
    this.#fetchedAt = clock.wall();
    return pubkeys;
  }
}

/** The key that a token says it was signed with; whether it was is another matter. */
function keyIdOf(token: string): string | undefined {
  try {
    const header: unknown = JSON.parse(
      Buffer.from(token.split('.')[0] ?? '', 'base64url').toString(),
    );
    const id: unknown = Reflect.get(Object(header), 'kid');
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Throws for an empty list or an error page, with which every token would look forged. */
function mustBeCertificates(certs: unknown): void {
  const pems: unknown[] = typeof certs === 'object' && certs !== null ? Object.values(certs) : [];
  if (pems.length === 0) throw new Error("the answer holds none of Google's certificates");
  for (const pem of pems) createPublicKey(String(pem));
}

/** What the library does not look at, or not closely. */
function checkClaims(
  claims: Readonly<Record<string, unknown>>,
  now: number,
  signer: Signer,
): CheckedToken {
  const { exp, iat, nbf = iat, email } = claims;
  if (!isTime(exp) || !isTime(iat) || !isTime(nbf)) return { fault: 'malformed' };
  if (now >= exp + TOLERANCE_S) return { fault: 'expired' };
  if (now < Math.max(iat, nbf) - TOLERANCE_S) return { fault: 'not-yet-valid' };
  // Identity-Aware Proxy lets nobody through whose account is not verified, and does not say so.
  const verified = signer === 'iap' || claims['email_verified'] === true;
  if (!verified || typeof email !== 'string') return { fault: 'email-unverified' };
  const domain = claims['hd'];
  return { email, domain: typeof domain === 'string' ? domain : null };
}

const isTime = (value: unknown): value is number => Number.isFinite(value);

/** How the messages of google-auth-library 11 begin. They go on with the token or its payload. */
const FAULTS: readonly (readonly [start: string, fault: TokenFault])[] = [
  ['No pem found', 'unknown-key'],
  ['Invalid token signature', 'signature'],
  ['Expiration time too far', 'lives-too-long'],
  ['Token used too early', 'not-yet-valid'],
  ['Token used too late', 'expired'],
  ['Invalid issuer', 'issuer'],
  ['Wrong recipient', 'audience'],
];

function faultOf(error: unknown): TokenFault {
  const message = error instanceof Error ? error.message : '';
  return FAULTS.find(([start]) => message.startsWith(start))?.[1] ?? 'malformed';
}
