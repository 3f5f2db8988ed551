/** Everything that chance decides comes from here: the same seed gives the same life. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  /** The generator is sfc32; the seed's text is spread over its state by FNV-1a. */
  constructor(seed: string) {
    [this.#a = 0, this.#b = 0, this.#c = 0] = [1, 2, 3].map((salt) => fnv(`${salt}/${seed}`));
    for (let i = 0; i < 12; i++) this.next();
  }

  /** From 0 up to 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }

  chance(share: number): boolean {
    return share > 0 && this.next() < share;
  }

  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  /** A whole number from 0 up to `n`. */
  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<Value>(...from: readonly Value[]): Value {
    const value = from[this.below(from.length)];
    if (value === undefined && from.length === 0) throw new Error('nothing to pick from');
    return value as Value;
  }

  /** Waits for something that comes once in `meanMs` on average. */
  wait(meanMs: number): number {
    return -Math.log(1 - this.next()) * meanMs;
  }
}

function fnv(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash;
}
