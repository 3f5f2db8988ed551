import { randomBytes } from 'node:crypto';
import type { CookieOptions, Request, Response } from 'express';
import { digest, same } from './token-key.ts';

/*
 * Two cookies, neither of which a script can read. One is a session. The other is for forms: each
 * form bears a hash of it, or of the session where there is one, which another site can't know.
 */

/** A week: long enough to be kept, short enough to be forgotten. */
export const SESSION_MS = 7 * 86_400_000;

const NAMES = { session: 'punctual-session', form: 'punctual-form' } as const;
const VALUE = /^[\w.-]{1,300}$/;

/** Cookies of a service that people reach by HTTPS, or by HTTP on a machine of one's own. */
export class Cookies {
  readonly #prefix: string;
  readonly #options: CookieOptions;

  constructor({ secure }: { readonly secure: boolean }) {
    // No other host of the domain can set one of such a name.
    this.#prefix = secure ? '__Host-' : '';
    this.#options = { httpOnly: true, sameSite: 'lax', path: '/', secure };
  }

  session(req: Request): string | undefined {
    return this.#read(req, NAMES.session);
  }

  keepSession(res: Response, session: string): void {
    const options = { ...this.#options, maxAge: SESSION_MS };
    res.cookie(`${this.#prefix}${NAMES.session}`, session, options);
  }

  endSession(res: Response): void {
    for (const name of Object.values(NAMES)) {
      res.clearCookie(`${this.#prefix}${name}`, this.#options);
    }
  }

  /** What the forms of an answer bear. Gives the browser a cookie to go with it, if it has none. */
  formToken(req: Request, res: Response, session: string | undefined): string {
    const known = session ?? this.#read(req, NAMES.form);
    if (known !== undefined) return formTokenOf(known);
    const made = randomBytes(16).toString('base64url');
    res.cookie(`${this.#prefix}${NAMES.form}`, made, this.#options);
    return formTokenOf(made);
  }

  /** Whether a form, or a script of a page, comes from a page that this browser got from us. */
  isFormToken(req: Request, session: string | undefined, given: string): boolean {
    const known = session ?? this.#read(req, NAMES.form);
    return known !== undefined && same(formTokenOf(known), given);
  }

  /** A cookie of a name that is there more than once was set by somebody else, too. */
  #read(req: Request, name: string): string | undefined {
    const start = `${this.#prefix}${name}=`;
    const all = (req.headers.cookie ?? '').split(/; */).filter((one) => one.startsWith(start));
    const value = all.length === 1 ? all[0]?.slice(start.length) : undefined;
    return value !== undefined && VALUE.test(value) ? value : undefined;
  }
}

/** What forms bear for a cookie; 96 bits, since a page may have many. */
export const formTokenOf = (cookie: string): string =>
  digest(`punctual form ${cookie}`).slice(0, 16);
