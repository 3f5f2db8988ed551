import firestore from '@google-cloud/firestore';
import { StoreUnavailable, UnknownOutcome } from '../core/store.ts';
import { sleep, type Clock } from '../core/time.ts';
import { failureOf, googleAuthLibrary, grpc, PASSING, standIn } from '../google.ts';
import { structured, type Query } from './firestore-queries.ts';
import type { Client, Document, Timestamp, Write } from './firestore-types.ts';

/*
 * The calls that are made to Firestore, and what may become of each. This is the client's lower
 * half: the upper one sends a commit again by itself, for up to ten minutes, and then reports the
 * second one's failure for the first one's success. Here a commit is sent once, with a deadline
 * that the server is told, too; what is not known of it afterwards is said to be unknown.
 */

export interface Database {
  readonly project: string;
  readonly database: string;
  /** `host:port` of an emulator; null for the real one. */
  readonly emulator: string | null;
  /** How long one call may take. */
  readonly callMs: number;
}

/** A query was refused, as it has no index, or one that is still being made. */
export class NoIndex extends StoreUnavailable {}

/** A commit that was surely not applied, and the protocol's reason. */
export type Refused = 'exists' | 'missing' | 'conflict';

const READ_TRIES = 3;
/** `retry` is for single answers only: streams are tried three times all the same, for seconds. */
const NO_RETRIES = { retryRequestOptions: { retries: 0, noResponseRetries: 0 } };
const FIRST_PAUSE_MS = 50;

/** How long to wait after the nth try that failed, by chance shorter or longer. */
export const pauseMs = (n: number): number => FIRST_PAUSE_MS * 2 ** n * (0.5 + Math.random());

/** Connects when first asked, and not before. */
export class Rpc {
  readonly root: string;
  readonly #clock: Clock;
  readonly #client: Client;
  readonly #callMs: number;
  /** Hears of each commit of which nobody can say whether it was applied, and so is billed. */
  readonly #onUnsure: (writes: readonly Write[]) => void;
  #closed = false;

  constructor(
    { project, database, emulator, callMs }: Database,
    clock: Clock,
    onUnsure: (writes: readonly Write[]) => void = () => undefined,
  ) {
    this.#onUnsure = onUnsure;
    this.root = `projects/${project}/databases/${database}`;
    this.#clock = clock;
    this.#callMs = callMs;
    this.#client = new firestore.v1.FirestoreClient({
      projectId: project,
      ...(emulator !== null && standIn(emulator)),
    });
  }

  /** The full name of a document, from such as `jobs/nightly-report`. */
  nameOf(path: string): string {
    return `${this.root}/documents/${path}`;
  }

  /** Sends a commit once. A value says why it was surely not applied. */
  async commit(writes: Write[]): Promise<{ readonly commitTime: Timestamp } | Refused> {
    this.#assertOpen();
    try {
      const request = { database: this.root, writes };
      const [{ commitTime }] = await this.#client.commit(request, this.#options());
      return { commitTime: commitTime ?? {} };
    } catch (error) {
      const { code, detail } = failure(error);
      switch (code) {
        case grpc.status.ALREADY_EXISTS:
          return 'exists';
        case grpc.status.NOT_FOUND:
          if (/database .* does not exist/i.test(detail)) throw unavailable(error);
          return 'missing';
        case grpc.status.FAILED_PRECONDITION:
        case grpc.status.ABORTED:
          return 'conflict';
        case grpc.status.INVALID_ARGUMENT:
        case grpc.status.OUT_OF_RANGE:
          throw new Error(`Firestore does not take this commit: ${detail}`, { cause: error });
        default:
          if (PASSING.has(code) && !neverLeft(detail)) {
            this.#onUnsure(writes);
            throw new UnknownOutcome(`Firestore did not answer a commit: ${detail}`, {
              cause: error,
            });
          }
          throw unavailable(error);
      }
    }
  }

  /** Documents by their full names, in that order; undefined for one that is not there. */
  async get(names: string[]) {
    const replies = await this.#read(() =>
      this.#client.batchGetDocuments({ database: this.root, documents: names }, this.#options()),
    );
    const found = new Map(replies.map(({ found: one }) => [one?.name, one]));
    const readTime = replies.at(-1)?.readTime ?? {};
    return { documents: names.map((name) => found.get(name) ?? undefined), readTime };
  }

  async query(query: Query) {
    const parent = `${this.root}/documents${query.under === '' ? '' : `/${query.under}`}`;
    const request = { parent, structuredQuery: structured(query, this.root) };
    const replies = await this.#read(() => this.#client.runQuery(request, this.#options()));
    const documents = replies.flatMap(({ document }) => document ?? []);
    const skipped = replies.reduce((sum, { skippedResults }) => sum + (skippedResults ?? 0), 0);
    return { documents, skipped, readTime: replies.at(-1)?.readTime ?? {} };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#client.close();
  }

  /** Reads again what failed in passing: a read changes nothing. */
  async #read(start: () => AsyncIterable<Reply>): Promise<Reply[]> {
    for (let n = 1; ; n += 1) {
      this.#assertOpen();
      try {
        // A stream that is opened without credentials would end the process, not only itself.
        await this.#client.initialize();
        const replies: Reply[] = [];
        for await (const reply of start()) replies.push(reply);
        return replies;
      } catch (error) {
        const { code } = failure(error);
        if (!PASSING.has(code) || n >= READ_TRIES) throw unavailable(error);
        await sleep(this.#clock, pauseMs(n));
      }
    }
  }

  #options() {
    // The database is in the header by which Google finds the way to it.
    const headers = { 'google-cloud-resource-prefix': this.root };
    return { timeout: this.#callMs, retry: null, ...NO_RETRIES, otherArgs: { headers } };
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreUnavailable('the store is closed');
  }
}

/** The project of the machine's own credentials. An emulator takes any. */
export async function findProject(emulator: string | null): Promise<string> {
  if (emulator !== null) return 'demo-punctual';
  try {
    return await new googleAuthLibrary.GoogleAuth().getProjectId();
  } catch (cause) {
    const what = 'no Google Cloud project is known: set GOOGLE_CLOUD_PROJECT to its id';
    throw new StoreUnavailable(what, { cause });
  }
}

/** Of what reads stream back, the parts that are used. */
interface Reply {
  readonly found?: Document | null;
  readonly document?: Document | null;
  readonly skippedResults?: number | null;
  readonly readTime?: Timestamp | null;
}

function failure(error: unknown): { readonly code: number; readonly detail: string } {
  const { code = grpc.status.UNKNOWN, detail } = failureOf(error);
  return { code, detail };
}

/** No connection was there to send it by. */
const neverLeft = (detail: string): boolean =>
  /no connection established|name resolution failed|ECONNREFUSED|ENOTFOUND/i.test(detail);

const REASONS: Readonly<Record<number, string>> = {
  [grpc.status.PERMISSION_DENIED]: 'refused: does this account have the role Cloud Datastore User?',
  [grpc.status.UNAUTHENTICATED]: 'does not know who asks: are there credentials?',
  [grpc.status.NOT_FOUND]: 'has no such database: is it made, and named right?',
  [grpc.status.FAILED_PRECONDITION]: 'has no index for a query: deploy firestore.indexes.json',
};

function unavailable(error: unknown): StoreUnavailable {
  const { code, detail } = failure(error);
  const reason = REASONS[code] ?? 'can not be reached';
  const told = `Firestore ${reason} (${detail.trim()})`;
  return code === grpc.status.FAILED_PRECONDITION ? new NoIndex(told) : new StoreUnavailable(told);
}
