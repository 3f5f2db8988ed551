import { HIDDEN } from './stored.ts';

/** Shorter texts would take half a log with them. */
const SHORTEST = 6;
/** More texts than this are not looked for one by one first. */
const FEW = 200;
/** What holds more than this is no input. */
const PARTS_LIMIT = 100_000;

/**
 * Takes the secrets of one attempt out of all that it says. Texts of at least 6 characters are
 * found as they are, as JSON and URLs write them, in base64 and in hex, and line by line; numbers
 * and shorter texts are not.
 */
export class Scrubber {
  /** By their first characters, longest first. */
  readonly #byStart = new Map<string, string[]>();
  readonly #all = new Set<string>();
  readonly #onLearn: (texts: readonly string[]) => void;

  /** `onLearn` is told each text that is learnt. */
  constructor(onLearn: (texts: readonly string[]) => void = () => undefined) {
    this.#onLearn = onLearn;
  }

  /** Looks for these from now on: texts, and those within lists and objects. */
  learn(secrets: readonly unknown[]): void {
    const texts = textsIn(secrets);
    if (texts.length > 0) this.#onLearn(texts);
    for (const form of texts.flatMap(formsOf)) {
      if (form.trim().length < SHORTEST || this.#all.has(form)) continue;
      this.#all.add(form);
      const start = form.slice(0, SHORTEST);
      const same = [...(this.#byStart.get(start) ?? []), form];
      this.#byStart.set(
        start,
        same.toSorted((a, b) => b.length - a.length),
      );
    }
  }

  /** A text without them. Bound, so that it can be handed on. */
  readonly text = (given: string): string => {
    if (!this.#mayHold(given)) return given;
    const parts: string[] = [];
    let from = 0;
    for (let at = 0; at <= given.length - SHORTEST; at++) {
      const starting = this.#byStart.get(given.slice(at, at + SHORTEST));
      const found = starting?.find((secret) => given.startsWith(secret, at));
      if (found === undefined) continue;
      parts.push(given.slice(from, at), HIDDEN);
      from = at + found.length;
      at = from - 1;
    }
    return [...parts, given.slice(from)].join('');
  };

  /** A text of JSON without them, which stays one; what is none is taken as it comes. */
  json(given: string): string {
    if (!this.#mayHold(given)) return given;
    try {
      return JSON.stringify(JSON.parse(given, (_key, part: unknown) => this.#part(part)));
    } catch {
      return this.text(given);
    }
  }

  #part(part: unknown): unknown {
    if (typeof part === 'string') return this.text(part);
    if (typeof part === 'number') return this.#mayHold(String(part)) ? HIDDEN : part;
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    const entries = Object.entries(part);
    if (!entries.some(([key]) => this.#mayHold(key))) return part;
    return Object.fromEntries(entries.map(([key, inner]) => [this.text(key), inner]));
  }

  #mayHold(given: string): boolean {
    if (this.#all.size === 0 || given.length < SHORTEST) return false;
    if (this.#all.size > FEW) return true;
    for (const secret of this.#all) if (given.includes(secret)) return true;
    return false;
  }
}

/** All texts in these values, however deep. */
function textsIn(values: readonly unknown[]): string[] {
  const found: string[] = [];
  const open: unknown[] = [...values];
  const seen = new Set<unknown>();
  while (open.length > 0 && seen.size < PARTS_LIMIT) {
    const part = open.pop();
    if (typeof part === 'string') found.push(part);
    if (typeof part !== 'object' || part === null || seen.has(part)) continue;
    if (ArrayBuffer.isView(part)) continue;
    seen.add(part);
    const inner: Iterable<unknown> =
      part instanceof Map || part instanceof Set ? part.values() : Object.values(part);
    for (const one of inner) open.push(one);
  }
  return found;
}

/** A text as it may turn up where somebody prints it, or sends it somewhere. */
function formsOf(secret: string): string[] {
  const lines = secret.includes('\n') ? secret.split('\n') : [];
  const plain = [secret, ...lines].flatMap((text) => [text, text.trim()]);
  const once = plain.map(inJson);
  const bytes = Buffer.from(secret);
  const encoded = ['base64', 'base64url', 'hex'] as const;
  return [
    ...plain,
    ...once,
    ...once.map(inJson),
    ...inUrls(secret),
    ...encoded.map((encoding) => bytes.toString(encoding).replace(/=+$/, '')),
  ];
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

function inUrls(text: string): string[] {
  const whole = text.toWellFormed();
  const query = new URLSearchParams([['', whole]]).toString().slice(1);
  return [encodeURI(whole), encodeURIComponent(whole), query];
}
