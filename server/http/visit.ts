import type { Request, RequestHandler, Response } from 'express';
import { knownCaller, type Caller } from './caller.ts';
import { HttpError } from './errors.ts';
import type { Cookies } from './identity/cookies.ts';

/** Where a script sends what a form has in its field `csrf`. */
export const FORM_HEADER = 'X-CSRF-Token';

/** What a page needs to know of who looks at it. */
export interface Visit {
  /** Null on the page where one signs in. */
  readonly caller: Caller | null;
  /** What the forms of this answer bear, so that no other site can send them. */
  formToken(): string;
  /** Whether a form that was sent bears it, or need not: nothing but a browser sends cookies. */
  isOurForm(given: string): boolean;
}

const visits = new WeakMap<object, Visit>();

/** Who looks at a page. Throws for a request that is none of a page. */
export function visitOf(req: object): Visit {
  const visit = visits.get(req);
  if (visit === undefined) throw new Error('a page was asked for without a visit');
  return visit;
}

/** Notes who looks at a page, for what is sent to them; who that is may be found out later. */
export const visiting =
  (cookies: Cookies): RequestHandler =>
  (req, res, next) => {
    visits.set(req, new CookieVisit(cookies, req, res));
    next();
  };

class CookieVisit implements Visit {
  readonly #cookies: Cookies;
  readonly #req: Request;
  readonly #res: Response;
  #token: string | undefined;

  constructor(cookies: Cookies, req: Request, res: Response) {
    this.#cookies = cookies;
    this.#req = req;
    this.#res = res;
  }

  get caller(): Caller | null {
    return knownCaller(this.#req);
  }

  formToken(): string {
    return (this.#token ??= this.#cookies.formToken(this.#req, this.#res, this.#session));
  }

  isOurForm(given: string): boolean {
    const { by } = this.caller ?? {};
    if (by === 'token' || by === 'google') return true;
    return this.#cookies.isFormToken(this.#req, this.#session, given);
  }

  get #session(): string | undefined {
    return this.caller?.by === 'session' ? this.#cookies.session(this.#req) : undefined;
  }
}

/** Throws for a form that does not come from a page of ours. */
export function assertOurForm(req: object, given: string | undefined): void {
  if (visitOf(req).isOurForm(given ?? '')) return;
  const detail = 'this form is not from this page, or older than your cookies: load the page again';
  throw new HttpError(403, 'Forbidden', detail);
}
