import { manualRunId } from '../../server/core/ids.ts';
import type { Run } from '../../server/core/records.ts';
import type { Row } from './report.ts';
import type { Answer, Asked } from './sender.ts';

/** Triggers of all kinds at one job, and what their answers have to be held to. */

export const FLOODED = 'flooded';

export interface Trigger extends Asked {
  readonly kind: 'wake' | 'no key' | 'same key' | 'same key, other input' | 'own key';
  /** Undefined for none. */
  readonly key: string | undefined;
  readonly input: string | null;
}

/** One key stands for so many of those that share one. */
const SHARED_BY = 500;

/** A fifth each, in turns; who bears a token may not wake, and sends a fourth of each other kind. */
export function makeTrigger(n: number, authorization: string | undefined): Trigger {
  const shared = `shared-${Math.floor(n / SHARED_BY)}`;
  const kinds = authorization === undefined ? 5 : 4;
  switch (n % kinds) {
    case 4:
      return trigger('wake', undefined, null, authorization);
    case 1:
      return trigger('no key', undefined, '"nobody"', authorization);
    case 2:
      return trigger('same key', shared, '"same"', authorization);
    case 3:
      return trigger('same key, other input', shared, '"other"', authorization);
    default:
      return trigger('own key', `own-${n}`, '"own"', authorization);
  }
}

function trigger(
  kind: Trigger['kind'],
  key: string | undefined,
  input: string | null,
  authorization: string | undefined,
): Trigger {
  const path = kind === 'wake' ? `/triggers/jobs/${FLOODED}` : `/api/v1/jobs/${FLOODED}/runs`;
  const headers = {
    ...(authorization !== undefined && { Authorization: authorization }),
    ...(key !== undefined && { 'Idempotency-Key': key }),
    ...(input !== null && { 'Content-Type': 'application/json' }),
  };
  return { kind, key, input, path, headers, body: input === null ? '' : `{"input":${input}}` };
}

interface Heard {
  readonly asked: Trigger;
  readonly status: number;
  readonly runs: readonly string[];
  readonly replayed: boolean;
}

const MEANT: Readonly<Record<number, readonly string[]>> = {
  409: ['Busy'],
  422: ['Key used before'],
  429: ['Too many requests'],
  503: ['Unavailable', 'Store unavailable'],
};

/** Keeps what was answered, until it can be held against what is on record. */
export class Answers {
  readonly wrong: string[] = [];
  readonly #wanted: readonly number[];
  readonly #counts = new Map<string, number>();
  readonly #heard: Heard[] = [];

  /** `wanted`: the statuses that must have been among the answers. */
  constructor(wanted: readonly number[]) {
    this.#wanted = wanted;
  }

  hear = (asked: Trigger, answer: Answer | string): void => {
    const { kind } = asked;
    if (typeof answer === 'string') return this.#say(`${kind}: no answer: ${answer}`);
    const { status, headers, text } = answer;
    const what = `${kind}: ${status}`;
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
    const body: Readonly<Record<string, unknown>> = Object(parsed(text));
    const started: unknown[] = Array.isArray(body['started']) ? body['started'] : [];
    const isRun = status === 202 && kind !== 'wake';
    const runs = isRun ? [String(body['id'])] : started.map(String);
    const replayed = headers['idempotent-replayed'] === 'true';
    this.#heard.push({ asked, status, runs, replayed });
    const isMeant = (kind === 'wake' && status === 200) || isRun;
    if (!isMeant && !MEANT[status]?.includes(String(body['title']))) {
      this.#say(`${what} ${text.slice(0, 300)}`);
    }
    const waits = status === 429 || status === 503;
    if (waits && !(Number(headers['retry-after']) >= 1)) this.#say(`${what} without Retry-After`);
  };

  rows(): readonly Row[] {
    const sorted = [...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([what, n]) => [`answered ${what}`, n]);
  }

  /** Kinds of answers that never came, without which nothing is proved. */
  lacking(): readonly string[] {
    const statuses = this.#wanted.filter((status) => this.count(status) === 0).map(String);
    const replayed = this.#heard.some((one) => one.replayed) ? [] : ['a run replayed'];
    return [...statuses, ...replayed].map((what) => `none was answered with ${what}`);
  }

  count(status: number): number {
    return this.#heard.filter((one) => one.status === status).length;
  }

  /** Where an answer was not true, by all that is on record when everything is over. */
  untrue(runs: readonly Run[]): readonly string[] {
    const byId = new Map(runs.map((run) => [run.id, run]));
    const told = new Set(this.#heard.flatMap((one) => one.runs));
    const byHand = runs.filter(({ job, trigger: why }) => job === FLOODED && why === 'manual');
    const unsure = this.#heard.some(({ status }) => status === 503);
    return [
      ...this.lacking(),
      ...this.wrong,
      ...[...told].filter((id) => !byId.has(id)).map((id) => `${id} is not on record`),
      ...(unsure
        ? []
        : byHand.filter(({ id }) => !told.has(id)).map(({ id }) => `${id} by nobody`)),
      ...this.#heard.flatMap((one) => untrue(one, byId)),
      ...this.#createdTwice(),
    ];
  }

  /** Of one key's answers one at most says that it made the run. */
  #createdTwice(): readonly string[] {
    const made = this.#heard.filter(({ status, replayed }) => status === 202 && !replayed);
    const times = Map.groupBy(made, ({ runs: [id] }) => id);
    return [...times].flatMap(([id, all]) =>
      all.length > 1 ? [`${id} was made ${all.length} times, by its answers`] : [],
    );
  }

  #say(what: string): void {
    this.wrong.push(what);
  }
}

function untrue({ asked, status, runs: [id] }: Heard, byId: ReadonlyMap<string, Run>): string[] {
  const { kind, key, input } = asked;
  const own = key === undefined ? undefined : manualRunId(FLOODED, key);
  if (status === 202 && own !== undefined) {
    const stored = byId.get(own)?.input ?? null;
    if (id !== own) return [`the key ${key} got the run ${id}`];
    return stored === input ? [] : [`${id} was answered for ${input}, and has ${stored}`];
  }
  if (own === undefined) return [];
  const stored = byId.get(own);
  if (status === 422 && (stored === undefined || stored.input === input)) {
    return [`${key} was answered 422 for ${input}, and on record is ${stored?.input}`];
  }
  // Nobody else sends these, so what was refused must not be there.
  const isRefused = status === 409 || status === 429;
  return kind === 'own key' && isRefused && stored !== undefined
    ? [`${key} was answered ${status}, and is on record`]
    : [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
