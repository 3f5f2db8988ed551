import type { KeyObject } from 'node:crypto';
import { tooMany } from '../limit.ts';
import { digest, openKey, tokenIdOf } from './token-key.ts';
import type { Token, TokenList } from './token-list.ts';

/** Texts that were checked: so many are remembered, by a hash. */
const KNOWN_LIMIT = 1000;
/** Each check takes 16 MB and a core's time: more at once would be taken from the jobs. */
const AT_ONCE = 2;

/**
 * Finds the token that a text is. The first time is made slow by scrypt; what was found is
 * remembered, for as long as its token is listed and is still the same one. One token is tried by
 * one text at a time, and what is right is remembered apart from what is wrong: so who guesses at
 * one keeps no other from being known.
 */
export class Bearers {
  readonly #list: TokenList;
  readonly #right = new Set<string>();
  readonly #wrong = new Set<string>();
  /** The text that each token is tried by, by the id of the token. */
  readonly #trying = new Map<string, { readonly mark: string; readonly key: Opening }>();
  #running = 0;
  /** At most one for each token. */
  readonly #waiting: (() => void)[] = [];

  constructor(list: TokenList) {
    this.#list = list;
  }

  /** Undefined for what is no token of ours. Rejects with 429 while another text is tried. */
  async tokenOf(text: string): Promise<Token | undefined> {
    const token = await this.#listed(text);
    if (token === undefined || this.#right.has(markOf(text, token))) return token;
    return (await this.#try(text, token)) && token;
  }

  /** The same with its private half, which is never remembered: so it takes as long each time. */
  async open(
    text: string,
  ): Promise<{ readonly token: Token; readonly key: KeyObject } | undefined> {
    const token = await this.#listed(text);
    const key = token && (await this.#try(text, token));
    return token && key && { token, key };
  }

  async #listed(text: string): Promise<Token | undefined> {
    const id = tokenIdOf(text);
    return (await this.#list.all()).find((token) => token.id === id);
  }

  async #try(text: string, token: Token): Opening {
    const mark = markOf(text, token);
    if (this.#wrong.has(mark)) return undefined;
    const tried = this.#trying.get(token.id);
    if (tried !== undefined && tried.mark !== mark) throw tooMany(1);
    if (tried !== undefined) return await tried.key;
    const key = this.#inTurn(() => openKey(text, token));
    this.#trying.set(token.id, { mark, key });
    try {
      remember((await key) === undefined ? this.#wrong : this.#right, mark);
      return await key;
    } finally {
      this.#trying.delete(token.id);
    }
  }

  async #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    // Whoever is done hands its turn on.
    if (this.#running >= AT_ONCE) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

type Opening = Promise<KeyObject | undefined>;

/** Stands for a text that was tried at a token, as that is now. */
const markOf = (text: string, { publicKey }: Token): string => `${digest(text)} ${publicKey}`;

function remember(marks: Set<string>, mark: string): void {
  marks.add(mark);
  const [oldest] = marks;
  if (marks.size > KNOWN_LIMIT && oldest !== undefined) marks.delete(oldest);
}
