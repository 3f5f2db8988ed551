import type { Request } from 'express';
import type { AccessConfig } from '../../config-access.ts';
import type { GoogleConfig } from '../../config.ts';
import type { Deps } from '../../core/deps.ts';
import { isOwnMachine } from '../access.ts';
import type { Caller } from '../caller.ts';
import { GoogleTokens, type TokenFault } from '../google-token.ts';
import { Bearers } from './bearers.ts';
import type { Cookies } from './cookies.ts';
import type { Right } from '../rules.ts';
import { roleOf } from './people.ts';
import { tokenOfSession } from './session.ts';
import { looksLikeToken } from './token-key.ts';
import { TokenList, type Token } from './token-list.ts';

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
  readonly tokens: TokenList;
  readonly bearers: Bearers;
  readonly #trust: Trust;
  readonly #cookies: Cookies;
  readonly #clock: Deps['clock'];
  readonly #google: GoogleTokens | null;
  readonly #iap: GoogleTokens | null;

  constructor(
    { store, clock, namespace }: Pick<Deps, 'store' | 'clock' | 'namespace'>,
    { trust, cookies, pages }: { trust: Trust; cookies: Cookies; pages: KeyPages },
  ) {
    const { access, serviceUrl, schedulerAccount, tasksAccount } = trust;
    this.#trust = trust;
    this.#cookies = cookies;
    this.#clock = clock;
    this.tokens = new TokenList(store, clock, namespace);
    this.bearers = new Bearers(this.tokens);
    const { certsUrl, iapKeysUrl } = pages;
    const isAsked = (schedulerAccount ?? tasksAccount) !== null || access.modes.includes('google');
    const audience = isAsked ? serviceUrl : null;
    this.#google =
      audience === null ? null : new GoogleTokens({ signer: 'google', audience, certsUrl, clock });
    const proxy = access.modes.includes('iap') ? access.iapAudience : null;
    this.#iap =
      proxy === null
        ? null
        : new GoogleTokens({ signer: 'iap', audience: proxy, certsUrl: iapKeysUrl, clock });
  }

  /** Whether any credential at all could help somebody who is not at this machine. */
  get takesCredentials(): boolean {
    const { platform, access } = this.#trust;
    return platform !== null || this.#google !== null || access.modes.some((m) => m !== 'loopback');
  }

  /** `right` is what the route asks for; undefined where there is none. */
  async of(req: Request, right: Right | undefined): Promise<Known> {
    const sent = req.headersDistinct['authorization'];
    if (sent !== undefined) return await this.#byHeader(sent);
    const assertion = req.headersDistinct['x-goog-iap-jwt-assertion'];
    if (this.#iap !== null && assertion !== undefined) return await this.#byProxy(assertion);
    const session = this.#accepts('tokens') ? this.#cookies.session(req) : undefined;
    const known = session === undefined ? undefined : await this.#bySession(session);
    if (known !== undefined) return known;
    if (this.#accepts('loopback') && isOwnMachine(req)) return OWNER;
    return this.#byPlatform(req, right);
  }

  #accepts(mode: AccessConfig['modes'][number]): boolean {
    return this.#trust.access.modes.includes(mode);
  }

  async #byHeader(sent: readonly string[]): Promise<Known> {
    if (sent.length > 1) return refuse(401, 'several-tokens');
    const text = /^Bearer ([^ ]+)$/i.exec(sent[0] ?? '')?.[1];
    if (text === undefined) return refuse(401, 'malformed');
    if (!looksLikeToken(text)) return await this.#byGoogle(text);
    if (!this.#accepts('tokens')) return refuse(401, 'not-accepted-here');
    const token = await this.bearers.tokenOf(text);
    return token === undefined ? refuse(401, 'unknown-token') : byToken(token, 'token');
  }

  async #byGoogle(text: string): Promise<Known> {
    if (this.#google === null) return refuse(401, 'no-account-configured');
    const checked = await this.#google.check(text);
    if ('fault' in checked) return refuse(401, checked.fault);
    const { email } = checked;
    const { schedulerAccount, tasksAccount, access } = this.#trust;
    const may: Sending[] = [];
    if (email === schedulerAccount) may.push('wake');
    if (email === tasksAccount) may.push('run');
    const role = this.#accepts('google') ? roleOf(checked, access) : undefined;
    if (role === undefined && may.length === 0) return refuse(401, 'unknown-account');
    const caller =
      role === undefined ? null : { name: email, role, jobs: null, by: 'google' as const };
    return { kind: 'known', name: email, caller, may };
  }

  async #byProxy(sent: readonly string[]): Promise<Known> {
    if (this.#iap === null || sent.length > 1) return refuse(401, 'several-tokens');
    const checked = await this.#iap.check(sent[0] ?? '');
    if ('fault' in checked) return refuse(401, checked.fault);
    const { email } = checked;
    const role = roleOf(checked, this.#trust.access);
    if (role === undefined) return refuse(403, 'no-role');
    const caller = { name: email, role, jobs: null, by: 'iap' as const };
    return { kind: 'known', name: email, caller, may: [] };
  }

  async #bySession(session: string): Promise<Known | undefined> {
    const token = tokenOfSession(session, await this.tokens.all(), this.#clock.wall());
    return token === undefined ? undefined : { ...byToken(token, 'session'), session };
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

const refuse = (status: 401 | 403, reason: Reason): Known => ({ kind: 'refused', status, reason });

const sender = (name: string, may: Sending): Known => ({
  kind: 'known',
  name,
  caller: null,
  may: [may],
});

function byToken(
  { name, role, jobs }: Token,
  by: 'token' | 'session',
): Extract<Known, { kind: 'known' }> {
  return { kind: 'known', name, caller: { name, role, jobs, by }, may: [] };
}
