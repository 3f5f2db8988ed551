import type { KeyObject } from 'node:crypto';
import type { Deps } from '../../core/deps.ts';
import { GoogleTokens } from '../google-token.ts';
import { Bearers } from './bearers.ts';
import { audienceOf, proxyOf, refuse } from './identity.ts';
import type { Known, KeyPages, Sending, Trust } from './identity.ts';
import { roleOf } from './people.ts';
import { tokenOfSession } from './session.ts';
import { looksLikeToken } from './token-key.ts';
import { TokenList, type Token } from './token-list.ts';

/** A token with its private half. */
export interface Opened {
  readonly token: Token;
  readonly key: KeyObject;
}

/** Judges what a request shows of itself: a token of ours, one of Google's, or a session. */
export class Credentials {
  readonly #trust: Trust;
  readonly #clock: Deps['clock'];
  readonly #tokens: TokenList;
  readonly #bearers: Bearers;
  readonly #google: GoogleTokens | null;
  readonly #iap: GoogleTokens | null;

  constructor(
    { store, clock, namespace }: Pick<Deps, 'store' | 'clock' | 'namespace'>,
    trust: Trust,
    { certsUrl, iapKeysUrl }: KeyPages,
  ) {
    this.#trust = trust;
    this.#clock = clock;
    this.#tokens = new TokenList(store, clock, namespace);
    this.#bearers = new Bearers(this.#tokens);
    const audience = audienceOf(trust);
    this.#google =
      audience === null ? null : new GoogleTokens({ signer: 'google', audience, certsUrl, clock });
    const proxy = proxyOf(trust);
    this.#iap =
      proxy === null
        ? null
        : new GoogleTokens({ signer: 'iap', audience: proxy, certsUrl: iapKeysUrl, clock });
  }

  async byHeader(sent: readonly string[]): Promise<Known> {
    if (sent.length > 1) return refuse(401, 'several-tokens');
    const text = /^Bearer ([^ ]+)$/i.exec(sent[0] ?? '')?.[1];
    if (text === undefined) return refuse(401, 'malformed');
    if (!looksLikeToken(text)) return await this.#byGoogle(text);
    if (!this.#trust.access.modes.includes('tokens')) return refuse(401, 'not-accepted-here');
    const token = await this.#bearers.tokenOf(text);
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
    const role = access.modes.includes('google') ? roleOf(checked, access) : undefined;
    if (role === undefined && may.length === 0) return refuse(401, 'unknown-account');
    const caller =
      role === undefined ? null : { name: email, role, jobs: null, by: 'google' as const };
    return { kind: 'known', name: email, caller, may };
  }

  async byProxy(sent: readonly string[]): Promise<Known> {
    if (this.#iap === null || sent.length > 1) return refuse(401, 'several-tokens');
    const checked = await this.#iap.check(sent[0] ?? '');
    if ('fault' in checked) return refuse(401, checked.fault);
    const { email } = checked;
    const role = roleOf(checked, this.#trust.access);
    if (role === undefined) return refuse(403, 'no-role');
    const caller = { name: email, role, jobs: null, by: 'iap' as const };
    return { kind: 'known', name: email, caller, may: [] };
  }

  async bySession(session: string): Promise<Known | undefined> {
    const token = tokenOfSession(session, await this.#tokens.all(), this.#clock.wall());
    return token === undefined ? undefined : { ...byToken(token, 'session'), session };
  }

  open(text: string): Promise<Opened | undefined> {
    return this.#bearers.open(text);
  }
}

function byToken(
  { name, role, jobs }: Token,
  by: 'token' | 'session',
): Extract<Known, { kind: 'known' }> {
  return { kind: 'known', name, caller: { name, role, jobs, by }, may: [] };
}
