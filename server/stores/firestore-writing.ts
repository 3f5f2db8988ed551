import type { ActionRecord, LogChunk, SpecRecord } from '../core/records.ts';
import { StoreUnavailable, UnknownOutcome } from '../core/store.ts';
import { sleep, type Clock } from '../core/time.ts';
import { encodeChunk, padded } from './firestore-docs.ts';
import type { Meter } from './firestore-meter.ts';
import { pauseMs, type Refused, type Rpc } from './firestore-rpc.ts';
import type { Timestamp, Write } from './firestore-types.ts';
import { encode, type Encoded } from './firestore-values.ts';

const TRIES = 4;

/** Writes that come to the same if they are made twice: they are tried again by themselves. */
export class Writing {
  readonly #rpc: Rpc;
  readonly #meter: Meter;
  readonly #clock: Clock;

  constructor(rpc: Rpc, meter: Meter, clock: Clock) {
    this.#rpc = rpc;
    this.#meter = meter;
    this.#clock = clock;
  }

  /** Writes and deletes, whatever stands there; what they cost is the run's, if one is given. */
  async put(op: string, writes: readonly Write[], runId?: string): Promise<void> {
    if (writes.length === 0) return;
    const result = await this.#again(op, writes);
    if (result === 'missing' || result === 'exists') throw new Error(`${op}: ${result}`);
    if (runId !== undefined) this.#meter.charge(runId, costOf(writes));
  }

  /** A document that stays as it is where it is there already. */
  async create(op: string, path: string, encoded: Encoded): Promise<void> {
    const write = writeOf(this.#rpc.nameOf(path), encoded);
    await this.#again(op, [{ ...write, currentDocument: { exists: false } }]);
  }

  /** Some fields of a document; passes over one that is not there. */
  async change(op: string, path: string, encoded: Encoded): Promise<void> {
    await this.#again(op, [changeOf(this.#rpc.nameOf(path), encoded)]);
  }

  /** A whole document under its version (undefined: it must not be there); false if that is old. */
  async replace(
    op: string,
    path: string,
    encoded: Encoded,
    before: { readonly updateTime: Timestamp } | undefined,
  ): Promise<boolean> {
    const currentDocument = before ? { updateTime: before.updateTime } : { exists: false };
    const write = { ...writeOf(this.#rpc.nameOf(path), encoded), currentDocument };
    const result = await this.#rpc.commit([write]);
    if (typeof result === 'string') return false;
    this.#meter.count(op, costOf([write]));
    return true;
  }

  async #again(op: string, writes: readonly Write[]): Promise<Refused | undefined> {
    for (let n = 1; ; n += 1) {
      try {
        const result = await this.#rpc.commit([...writes]);
        if (result === 'exists' || result === 'missing') return result;
        if (result !== 'conflict') {
          this.#meter.count(op, costOf(writes));
          return undefined;
        }
        if (n >= TRIES) throw new StoreUnavailable(`${op}: others keep writing there`);
      } catch (error) {
        if (!(error instanceof UnknownOutcome) || n >= TRIES) throw error;
      }
      await sleep(this.#clock, pauseMs(n));
    }
  }
}

/** What is billed for a commit. */
export const costOf = (writes: readonly Write[]) => {
  const deletes = writes.filter((write) => typeof write.delete === 'string').length;
  return { deletes, writes: writes.length - deletes };
};

type Named = Pick<Rpc, 'nameOf'>;

/** What stands in a place of its own, whoever writes it. */
export const chunkWrite = (rpc: Named, chunk: LogChunk): Write =>
  writeOf(rpc.nameOf(`logs/${chunk.runId}/chunks/${padded(chunk.n)}`), encodeChunk(chunk));

export const specWrite = (rpc: Named, spec: SpecRecord): Write =>
  writeOf(rpc.nameOf(`specs/${spec.job}/changes/${padded(spec.from)}`), encode(spec));

export const actionWrite = (rpc: Named, action: ActionRecord): Write =>
  writeOf(rpc.nameOf(`actions/${action.id}`), encode(action));

/** The whole of a document. */
export const writeOf = (name: string, { fields, stamped }: Encoded): Write => ({
  update: { name, fields },
  ...(stamped.length > 0 && {
    updateTransforms: stamped.map((fieldPath) => ({ fieldPath, setToServerValue: 'REQUEST_TIME' })),
  }),
});

export const deleteOf = (name: string): Write => ({ delete: name });

/** Some fields of a document that must be there, each whole. */
export function changeOf(name: string, encoded: Encoded): Write {
  const tops = encoded.stamped.map((path) => path.split('.')[0] ?? '');
  const fieldPaths = [...new Set([...Object.keys(encoded.fields), ...tops])];
  return {
    ...writeOf(name, encoded),
    updateMask: { fieldPaths },
    currentDocument: { exists: true },
  };
}
