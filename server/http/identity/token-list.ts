import { changeMeta, tokensKey } from '../../core/meta.ts';
import { isBilled, type Store } from '../../core/store.ts';
import { isInstant, type Clock, type Instant } from '../../core/time.ts';
import type { Role } from '../caller.ts';
import { isTokenKey, type TokenKey } from './token-key.ts';

/** A token as the store keeps it: all but its secret. */
export interface Token extends TokenKey {
  /** Says who does something by it. */
  readonly name: string;
  readonly role: Role;
  /** The only jobs that it may see or touch; null for all. */
  readonly jobs: readonly string[] | null;
  readonly createdAt: Instant;
  /** Who made it. */
  readonly by: string | null;
}

type MetaStore = Pick<Store, 'readMeta' | 'writeMeta' | 'time'>;

/** Each check looks through all of them. */
const TOKENS_LIMIT = 200;
/** How long a token that was revoked may still be believed. */
const CACHE_MS = { free: 5000, billed: 60_000 } as const;

/** All tokens of a service, in the order of their making. What is not one is left out. */
export async function readTokens(
  store: Pick<Store, 'readMeta'>,
  namespace: string,
): Promise<readonly Token[]> {
  return tokensIn((await store.readMeta(tokensKey(namespace)))?.value);
}

/** Keeps a new token. Gives what is wrong, in words, where it can't be. */
export async function addToken(
  store: MetaStore,
  namespace: string,
  token: Omit<Token, 'createdAt'>,
): Promise<string | undefined> {
  let problem: string | undefined;
  const written = await changeMeta(store, tokensKey(namespace), {
    next: (before, now) => {
      const tokens = tokensIn(before);
      const known = tokens.some(({ name }) => name === token.name);
      problem = known ? `there is a token "${token.name}" already; revoke it first` : undefined;
      if (tokens.length >= TOKENS_LIMIT) problem ??= `${TOKENS_LIMIT} tokens are the most`;
      const added = problem === undefined ? [...tokens, { ...token, createdAt: now }] : tokens;
      return { tokens: added };
    },
  });
  return written === undefined ? 'others change the tokens just now; try again' : problem;
}

/** Ends a token, and all sessions that were signed in by it; false where there is none. */
export async function revokeToken(
  store: MetaStore,
  namespace: string,
  name: string,
): Promise<boolean> {
  let found = false;
  const written = await changeMeta(store, tokensKey(namespace), {
    next: (before) => {
      const tokens = tokensIn(before);
      found = tokens.some((token) => token.name === name);
      return { tokens: tokens.filter((token) => token.name !== name) };
    },
  });
  if (written === undefined) throw new Error('others change the tokens just now; try again');
  return found;
}

/** The tokens as this process knows them: read again when they are a while old. */
export class TokenList {
  readonly #store: Store;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #namespace: string;
  #known: { readonly tokens: readonly Token[]; readonly at: number } | undefined;
  #asking: Promise<readonly Token[]> | undefined;

  constructor(store: Store, clock: Pick<Clock, 'monotonic'>, namespace: string) {
    this.#store = store;
    this.#clock = clock;
    this.#namespace = namespace;
  }

  /** Rejects where the store does not answer: then nobody is known, and nobody is let in. */
  async all(): Promise<readonly Token[]> {
    const now = this.#clock.monotonic();
    const kept = isBilled(this.#store) ? CACHE_MS.billed : CACHE_MS.free;
    if (this.#known !== undefined && now - this.#known.at < kept) return this.#known.tokens;
    this.#asking ??= readTokens(this.#store, this.#namespace)
      .then((tokens) => {
        this.#known = { tokens, at: now };
        return tokens;
      })
      .finally(() => (this.#asking = undefined));
    return await this.#asking;
  }
}

function tokensIn(value: unknown): readonly Token[] {
  const tokens: unknown = Reflect.get(Object(value), 'tokens');
  return Array.isArray(tokens) ? tokens.filter(isToken).slice(0, TOKENS_LIMIT) : [];
}

function isToken(value: unknown): value is Token {
  const { id, salt, publicKey, name, role, jobs, createdAt }: Record<string, unknown> =
    Object(value);
  const isText = (one: unknown): boolean => typeof one === 'string';
  const ofJobs = jobs === null || (Array.isArray(jobs) && jobs.every(isText));
  const isRole = role === 'viewer' || role === 'operator';
  return (
    isTokenKey({ id, salt, publicKey }) && isText(name) && isRole && ofJobs && isInstant(createdAt)
  );
}
