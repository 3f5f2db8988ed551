import type { Request } from 'express';
import type { AccessConfig } from '../../config-access.ts';
import type { GoogleConfig } from '../../config.ts';
import type { Deps } from '../../core/deps.ts';
import { isOwnMachine } from '../access.ts';
import type { Caller } from '../caller.ts';
import type { TokenFault } from '../google-token.ts';
import { once } from '../lazily.ts';
import type { Right } from '../rules.ts';
import type { Cookies } from './cookies.ts';
import type { Credentials, Opened } from './credentials.ts';

/** All that says who may do what. */
export type Trust = Pick<
  GoogleConfig,
  'platform' | 'serviceUrl' | 'schedulerAccount' | 'tasksAccount' | 'tasksQueue'
> & { readonly access: AccessConfig };

/** What somebody who sends triggers may do. */
export type Sending = 'start' | 'wake' | 'run';

/** Who sends a request, as far as it can be told. */
export type Known =
  /** No credential, or none that counts here. */
  | { readonly kind: 'nobody' }
  /** A credential that does not hold. */
  | { readonly kind: 'refused'; readonly status: 401 | 403; readonly reason: Reason }
  | {
      readonly kind: 'known';
      /** For the limit of how often: an account, a name, this machine. */
      readonly name: string;
      /** Null for who only sends triggers. */
      readonly caller: Caller | null;
      readonly may: readonly Sending[];
      /** The cookie that stands for it; then a browser sends it by itself. */
      readonly session?: string;
    };

export type Reason =
  | TokenFault
  | 'several-tokens'
  | 'no-account-configured'
  | 'not-accepted-here'
  | 'unknown-token'
  | 'unknown-account'
  | 'no-role'
  | 'platform-header';

/** Where Google's keys are, for tests that sign as Google; null for its own addresses. */
export interface KeyPages {
  readonly certsUrl: string | null;
  readonly iapKeysUrl: string | null;
}

/**
 * Finds out who sends a request. Whoever shows a token is judged by it alone; next come what
 * Identity-Aware Proxy signed, a session's cookie, and this machine itself. Only what may be true
 * here is looked at: App Engine's headers on App Engine, which takes them out of what comes from
 * outside; nothing of `X-CloudScheduler-*`, `X-CloudTasks-*` or `X-Goog-Authenticated-*`, which
 * anybody may send.
 */
export class Identity {
  readonly #trust: Trust;
  readonly #cookies: Cookies;
  /** Loaded with the first request that shows any. */
  readonly #credentials: () => Promise<Credentials>;

  constructor(
    deps: Pick<Deps, 'store' | 'clock' | 'namespace'>,
    { trust, cookies, pages }: { trust: Trust; cookies: Cookies; pages: KeyPages },
  ) {
    this.#trust = trust;
    this.#cookies = cookies;
    this.#credentials = once(async () => {
      const { Credentials } = await import('./credentials.ts');
      return new Credentials(deps, trust, pages);
    });
  }

  /** Whether any credential at all could help somebody who is not at this machine. */
  get takesCredentials(): boolean {
    const { platform, access } = this.#trust;
    const others = access.modes.some((mode) => mode !== 'loopback');
    return platform !== null || audienceOf(this.#trust) !== null || others;
  }

  /** `right` is what the route asks for; undefined where there is none. */
  async of(req: Request, right: Right | undefined): Promise<Known> {
    const sent = req.headersDistinct['authorization'];
    if (sent !== undefined) return await (await this.#credentials()).byHeader(sent);
    const proxied = proxyOf(this.#trust) !== null;
    const assertion = proxied ? req.headersDistinct['x-goog-iap-jwt-assertion'] : undefined;
    if (assertion !== undefined) return await (await this.#credentials()).byProxy(assertion);
    const session = this.#accepts('tokens') ? this.#cookies.session(req) : undefined;
    const known =
      session === undefined ? undefined : await (await this.#credentials()).bySession(session);
    if (known !== undefined) return known;
    if (this.#accepts('loopback') && isOwnMachine(req)) return OWNER;
    return this.#byPlatform(req, right);
  }

  /** The token that a text is, with its private half; undefined for what is no token of ours. */
  async open(text: string): Promise<Opened | undefined> {
    return await (await this.#credentials()).open(text);
  }

  #accepts(mode: AccessConfig['modes'][number]): boolean {
    return this.#trust.access.modes.includes(mode);
  }

  /** Its headers count for triggers alone; nothing else is asked by App Engine itself. */
  #byPlatform(req: Request, right: Right | undefined): Known {
    const { platform, tasksQueue } = this.#trust;
    const cron = req.headers['x-appengine-cron'];
    const queue = req.headers['x-appengine-queuename'];
    if (right !== 'start' && right !== 'wake' && right !== 'run') return NOBODY;
    if (platform === 'app-engine') {
      // It sends these without any credential, and they decide nothing.
      if (right === 'start') return sender('App Engine', 'start');
      // Before the queue: App Engine's cron has one of its own, and names it.
      if (cron === 'true') return sender('App Engine cron', 'wake');
      if (queue !== undefined && queue === tasksQueue) return sender('App Engine queue', 'run');
    }
    const forged = right === 'wake' ? cron : queue;
    return forged === undefined ? NOBODY : refuse(403, 'platform-header');
  }
}

const NOBODY: Known = { kind: 'nobody' };

const OWNER: Known = {
  kind: 'known',
  name: 'this machine',
  caller: { name: null, role: 'operator', jobs: null, by: 'loopback' },
  may: ['start', 'wake', 'run'],
};

export const refuse = (status: 401 | 403, reason: Reason): Known => ({
  kind: 'refused',
  status,
  reason,
});

const sender = (name: string, may: Sending): Known => ({
  kind: 'known',
  name,
  caller: null,
  may: [may],
});

/** The audience of the tokens that Google signs for accounts; null where none are taken. */
export function audienceOf(trust: Trust): string | null {
  const { access, serviceUrl, schedulerAccount, tasksAccount } = trust;
  const isAsked = (schedulerAccount ?? tasksAccount) !== null || access.modes.includes('google');
  return isAsked ? serviceUrl : null;
}

/** The audience of what Identity-Aware Proxy signs; null where that is not asked. */
export const proxyOf = ({ access }: Trust): string | null =>
  access.modes.includes('iap') ? access.iapAudience : null;
