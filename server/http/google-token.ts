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

export type CheckedToken = { readonly email: string } | { readonly fault: TokenFault };

export interface GoogleTokenOptions {
  readonly audience: string;
  /** Where the certificates are, by key id, as PEM; null for Google's own address. */
  readonly certsUrl: string | null;
  readonly clock: Pick<Clock, 'wall'>;
}

const ISSUERS = ['https://accounts.google.com', 'accounts.google.com'];
/** Google's have less than 1500 characters. */
const TOKEN_LIMIT = 4096;
/** How far Google's clock and ours may be apart; the library would allow five minutes. */
const TOLERANCE_S = 60;
/** The sender of a trigger waits for us meanwhile; one more try is made. */
const CERTS_TIMEOUT_MS = 5000;

/**
 * Checks the identity tokens that Google signs for service accounts: signature, issuer, audience,
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

  constructor(options: GoogleTokenOptions) {
    this.#options = options;
  }

  async check(token: string): Promise<CheckedToken> {
    const formed = token.length <= TOKEN_LIMIT && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
    if (!formed) return { fault: 'malformed' };
    const client = await this.#open();
    const certs = await this.#certs(client);
    try {
      const { audience, clock } = this.#options;
      const ticket = await client.verifySignedJwtWithCertsAsync(token, certs, audience, ISSUERS);
      const { envelope, payload } = ticket.getAttributes();
      const algorithm: unknown = Reflect.get(Object(envelope), 'alg');
      // The library verifies by RSA whatever this says; a signer who says otherwise is not Google.
      if (algorithm !== 'RS256') return { fault: 'algorithm' };
      return checkClaims({ ...payload }, clock.wall() / 1000);
    } catch (error) {
      return { fault: faultOf(error) };
    }
  }

  /** Imported when the first token comes: it would make every cold start longer. */
  async #open(): Promise<OAuth2Client> {
    const library = await import('google-auth-library');
    const { certsUrl } = this.#options;
    this.#client ??= new library.OAuth2Client({
      ...(certsUrl !== null && { endpoints: { oauth2FederatedSignonPemCertsUrl: certsUrl } }),
      transporterOptions: {
        timeout: CERTS_TIMEOUT_MS,
        retryConfig: { retry: 1, noResponseRetries: 1 },
      },
    });
    return this.#client;
  }

  /** The library keeps certificates, but requests that come at once would each fetch them. */
  #certs(client: OAuth2Client): Promise<Certificates> {
    this.#asking ??= this.#fetchCerts(client).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #fetchCerts(client: OAuth2Client): Promise<Certificates> {
    try {
      const { certs } = await client.getFederatedSignonCertsAsync();
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
}

/** Throws for an empty list or an error page, with which every token would look forged. */
function mustBeCertificates(certs: unknown): void {
  const pems: unknown[] = typeof certs === 'object' && certs !== null ? Object.values(certs) : [];
  if (pems.length === 0) throw new Error("the answer holds none of Google's certificates");
  for (const pem of pems) createPublicKey(String(pem));
}

/** What the library does not look at, or not closely. */
function checkClaims(claims: Readonly<Record<string, unknown>>, now: number): CheckedToken {
  const { exp, iat, nbf = iat, email } = claims;
  if (!isTime(exp) || !isTime(iat) || !isTime(nbf)) return { fault: 'malformed' };
  if (now >= exp + TOLERANCE_S) return { fault: 'expired' };
  if (now < Math.max(iat, nbf) - TOLERANCE_S) return { fault: 'not-yet-valid' };
  const verified = claims['email_verified'] === true;
  return verified && typeof email === 'string' ? { email } : { fault: 'email-unverified' };
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
