import type { Request, Response } from 'express';
import type * as v from 'valibot';
import type { Deps } from '../../core/deps.ts';
import type { Caller } from '../caller.ts';
import type { FieldProblem } from '../errors.ts';
import type { ProblemName } from './problems.ts';
import { readRequest, type Given } from './request.ts';

/*
 * An endpoint as data: what it is asked with, what it answers, and what is done. The router, the
 * checks of what comes in, the OpenAPI document and its page are all made of this, so none of them
 * can say anything else than the others.
 */

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Under which heading an endpoint is told of. */
export type Group = 'Jobs' | 'Runs' | 'Backfills' | 'History' | 'Service';

/**
 * What it is about, which says what a caller who is limited to some jobs gets: of another job
 * (`job`, by the parameter `name`) or another job's run (`run`, by `id`) what there is for one that
 * does not exist, of the `service` nothing. The others look after that themselves.
 */
export type Scope = 'job' | 'run' | 'jobs' | 'service' | 'open';

/** One of the answers of an endpoint that are no problem. */
export interface Described {
  readonly description: string;
  /** Of its JSON; null where it has none. */
  readonly schema: v.GenericSchema | null;
  /** Other content that it may have instead, as a media type. */
  readonly otherwise?: string;
  /** Headers besides, and what they say. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answers = Readonly<Record<number, Described>>;

/** What every endpoint says of itself. */
export interface About {
  readonly method: Method;
  /** Below `/api/v1`, as OpenAPI has it: `/jobs/{name}/runs`. */
  readonly path: string;
  /** For programs that are generated: `startRun`. */
  readonly id: string;
  readonly group: Group;
  readonly scope: Scope;
  readonly summary: string;
  readonly description: string;
  /** Those that not every endpoint has. */
  readonly problems: readonly ProblemName[];
}

/** What a request has to be like: fields by name, each with its schema. */
export interface Parts<P, Q, H, B> {
  readonly params: P;
  readonly query: Q;
  readonly headers: H;
  readonly body: B;
}

export type Fields = v.ObjectEntries;
type None = Record<never, never>;

/** Who asks, and with what besides. */
export interface Asking {
  readonly deps: Deps;
  readonly caller: Caller;
  readonly req: Request;
  /** Aborted when whoever asks is gone. */
  readonly gone: AbortSignal;
}

/** An answer as JSON, or one that sends itself. */
export type Answer =
  | {
      readonly status: number;
      readonly body: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly send: (res: Response) => Promise<void> };

/** An endpoint as the router and the document take it. */
export interface Endpoint extends About {
  readonly parts: Parts<Fields, Fields, Fields, Fields>;
  readonly answers: Answers;
  /** Reads the request, and does what is asked; throws `HttpError` for all that is a problem. */
  readonly answer: (asking: Asking) => Promise<Answer>;
}

type Spec<P extends Fields, Q extends Fields, H extends Fields, B extends Fields, A> = About &
  Partial<Parts<P, Q, H, B>> & {
    readonly answers: A;
    readonly handle: (given: Given<P, Q, H, B>, asking: Asking) => Promise<AnswerOf<A>>;
    /** What else is wrong, for a request with which something is: so that all is told at once. */
    readonly also?: (body: unknown, asking: Asking) => Promise<readonly FieldProblem[]>;
  };

type AnswerOf<A> =
  | {
      [S in keyof A & number]: {
        readonly status: S;
        readonly body: BodyOf<A[S]>;
        readonly headers?: Readonly<Record<string, string>>;
      };
    }[keyof A & number]
  | Extract<Answer, { readonly send: unknown }>;

type BodyOf<D> = D extends { readonly schema: infer S extends v.GenericSchema }
  ? Frozen<v.InferOutput<S>>
  : null;

/** The same where nothing may be changed. */
type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Frozen<T[Key]> }
    : T;

/** Makes an endpoint: what its handler is given and gives is as its schemas say. */
export function endpoint<
  const A extends Answers,
  P extends Fields = None,
  Q extends Fields = None,
  H extends Fields = None,
  B extends Fields = None,
>(spec: Spec<P, Q, H, B, A>): Endpoint {
  const { handle, also, params, query, headers, body, ...about } = spec;
  const parts = { params: params ?? NONE, query: query ?? NONE, headers: headers ?? NONE };
  const all = { ...parts, body: body ?? NONE };
  return {
    ...about,
    parts: all,
    async answer(asking) {
      const given = await readRequest<P, Q, H, B>(asking.req, all, async (sent) =>
        also === undefined ? [] : await also(sent, asking),
      );
      return await handle(given, asking);
    },
  };
}

const NONE: Fields = {};

/** An answer as JSON. */
export const reply = <const S extends number, B>(
  status: S,
  body: B,
  headers: Readonly<Record<string, string>> = {},
) => ({ status, body, headers });
