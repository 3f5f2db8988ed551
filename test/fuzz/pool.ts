import type { Random } from '../simulation/random.ts';
import type { WireAnswer } from './answers.ts';
import type { Draft } from './draft.ts';

/** How many of each kind are kept, the newest. */
const KEPT = 60;

/** The newest of something, each once. */
export class Newest<Value> {
  readonly #kept = new Map<string, Value>();

  add(key: string, value: Value): void {
    this.#kept.delete(key);
    this.#kept.set(key, value);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  get all(): readonly Value[] {
    return [...this.#kept.values()];
  }

  /** One of them; undefined where there is none. */
  pick(random: Random, fits: (value: Value) => boolean = () => true): Value | undefined {
    const those = this.all.filter(fits);
    return those.length === 0 ? undefined : random.pick<Value>(...those);
  }
}

export interface SeenRun {
  readonly id: string;
  readonly job: string;
  readonly state: string;
}

/** What earlier answers of a server gave, for later requests to be made of. */
export class Pool {
  /** By the server's clock, in ms; that of its first answer before there is one. */
  now = Date.UTC(2026, 0, 1);
  readonly names = new Newest<string>();
  readonly runs = new Newest<SeenRun>();
  readonly backfills = new Newest<{ readonly job: string; readonly id: string }>();
  readonly tags = new Newest<string>();
  /** Texts that somebody could sign in with, or could once. */
  readonly tokens = new Newest<string>();
  readonly assets = new Newest<string>();
  readonly lastRuns = new Newest<{ readonly job: string; readonly run: string }>();
  readonly etags = new Newest<string>();
  /** Keys that runs and backfills were asked for by. */
  readonly keys = new Newest<string>();
  /** Places in logs, as pages have them. */
  readonly places = new Newest<string>();
  /** Cursors, by what gave them. */
  readonly cursors = new Map<string, Newest<string>>();
  /** What a job takes, by its name. */
  readonly inputs = new Map<string, unknown>();
  /** Parts of addresses that a route has taken, by route. */
  readonly taken = new Map<string, Newest<Draft['params']>>();

  harvest(asked: Draft, { status, headers, text, body }: WireAnswer): void {
    const date = Date.parse(headers.get('date') ?? '');
    if (!Number.isNaN(date)) this.now = date;
    const etag = headers.get('etag');
    if (etag !== null) this.etags.add(etag, etag);
    if (status >= 400) return;
    const [key] = asked.headers.find(([name]) => name === 'Idempotency-Key')?.slice(1) ?? [];
    if (key !== undefined) this.keys.add(key, key);
    if (Object.keys(asked.params).length > 0) {
      at(this.taken, asked.what).add(JSON.stringify(asked.params), asked.params);
    }
    if (body !== undefined) this.#json(asked, body);
    else if (headers.get('content-type')?.startsWith('text/html') === true) this.#page(asked, text);
  }

  #json(asked: Draft, body: Record<string, unknown>): void {
    const { jobs, runs, backfills, next, input, name } = body;
    for (const job of listOf(jobs)) this.#job(job);
    for (const run of [...listOf(runs), body]) this.#run(run);
    for (const backfill of [...listOf(backfills), body]) this.#backfill(backfill);
    if (typeof next === 'string') at(this.cursors, asked.what).add(next, next);
    const schema: unknown = Reflect.get(Object(input), 'schema');
    if (typeof name === 'string' && schema !== undefined) this.inputs.set(name, schema);
  }

  #job({ name, tags }: Record<string, unknown>): void {
    if (typeof name === 'string') this.names.add(name, name);
    if (!Array.isArray(tags)) return;
    for (const tag of tags) if (typeof tag === 'string') this.tags.add(tag, tag);
  }

  #run({ id, job, state }: Record<string, unknown>): void {
    if (typeof id !== 'string' || typeof job !== 'string' || typeof state !== 'string') return;
    if (/[@!]/.test(id)) this.runs.add(id, { id, job, state });
  }

  #backfill({ id, job, openedUpTo }: Record<string, unknown>): void {
    if (typeof id !== 'string' || typeof job !== 'string' || openedUpTo === undefined) return;
    this.backfills.add(id, { job, id });
  }

  /** What the links of a page lead to. */
  #page(asked: Draft, text: string): void {
    for (const [, name, value] of text.matchAll(/[?;&](cursor|before|after)=([^"&#]+)/g)) {
      if (value === undefined) continue;
      const plain = decoded(value);
      if (name === 'cursor') at(this.cursors, asked.what).add(plain, plain);
      else this.places.add(plain, plain);
    }
    for (const [path] of text.matchAll(/\/assets\/[\w.-]+/g)) this.assets.add(path, path);
    for (const [, job, run] of text.matchAll(/\/jobs\/([\w-]+)\/last\/([^"?#&]+)/g)) {
      if (job !== undefined && run !== undefined)
        this.lastRuns.add(`${job}/${run}`, { job, run: decoded(run) });
    }
  }
}

/** What is there under a key, made where it is not yet. */
function at<Value>(map: Map<string, Newest<Value>>, key: string): Newest<Value> {
  const known = map.get(key) ?? new Newest<Value>();
  map.set(key, known);
  return known;
}

const listOf = (value: unknown): readonly Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'object' && one !== null) : [];

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('&amp;', '&'));
  } catch {
    return text;
  }
}
