/** Variables of the environment by name. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Reads variables one by one, and collects what is wrong with any of them. */
export class Reader {
  readonly problems: string[] = [];
  readonly #env: Env;
  readonly #known = new Set<string>();

  constructor(env: Env) {
    this.#env = env;
  }

  text(name: string, preset: string, form: RegExp, right: string): string {
    const value = this.#get(name);
    if (value === undefined || form.test(value)) return value ?? preset;
    return this.#fail(name, value, `${right}, such as "${preset}"`, preset);
  }

  /** Null where it is not set. */
  maybe(name: string, form: RegExp, right: string): string | null {
    const value = this.#get(name);
    if (value === undefined || form.test(value)) return value ?? null;
    return this.#fail(name, value, right, null);
  }

  /** Null where it is not set. What is wrong with it is told without it. */
  secret(name: string, form: RegExp, right: string): string | null {
    const value = this.#get(name);
    if (value === undefined || form.test(value)) return value ?? null;
    this.problems.push(`${name} is not what it should be; right would be ${right}`);
    return null;
  }

  /** Words between commas, each of the form; none where it is not set. */
  list(name: string, form: RegExp, right: string): readonly string[] {
    const words = (this.#get(name) ?? '').split(',').map((word) => word.trim());
    const found = words.filter((word) => word !== '');
    const wrong = found.find((word) => !form.test(word));
    return wrong === undefined ? found : this.#fail(name, wrong, right, []);
  }

  /** Where another program is: `host:port`. */
  address(name: string): string | null {
    return this.maybe(name, /^[\w.-]+:\d{1,5}$/, 'a host and port');
  }

  whole(name: string, preset: number, min: number, max: number): number {
    const value = this.#get(name);
    if (value === undefined) return preset;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (number >= min && number <= max) return number;
    return this.#fail(name, value, `a whole number from ${min} to ${max}`, preset);
  }

  oneOf<Choice extends string>(name: string, preset: Choice, all: readonly Choice[]): Choice {
    const value = this.#get(name);
    const found = all.find((choice) => choice === (value ?? preset));
    return found ?? this.#fail(name, value ?? '', `one of ${all.join(', ')}`, preset);
  }

  /** A misspelt variable would otherwise be ignored without a word. */
  unknown(): void {
    for (const name of Object.keys(this.#env)) {
      if (!name.startsWith('PUNCTUAL_') || this.#known.has(name) || CLIENT.has(name)) continue;
      const known = [...this.#known].filter((one) => one.startsWith('PUNCTUAL_'));
      this.problems.push(`${name} is not known; known are ${known.join(', ')}`);
    }
  }

  /** An empty variable counts as not set. */
  #get(name: string): string | undefined {
    this.#known.add(name);
    return this.#env[name] === '' ? undefined : this.#env[name];
  }

  #fail<Value>(name: string, value: string, right: string, preset: Value): Value {
    this.problems.push(`${name} is "${value.slice(0, 100)}"; right would be ${right}`);
    return preset;
  }
}

/** Read by the command line, or given to a job's command. */
const CLIENT = new Set(['PUNCTUAL_URL', 'PUNCTUAL_TOKEN', 'PUNCTUAL_RUN_ID', 'PUNCTUAL_FENCE']);
