import type { ActionRecord, JobRecord, LogChunk, Run, SpecRecord } from '../core/records.ts';
import { encodeJob, encodeRun } from './firestore-docs.ts';
import type { Rpc } from './firestore-rpc.ts';
import type { Write } from './firestore-types.ts';
import { actionWrite, chunkWrite, specWrite, writeOf } from './firestore-writing.ts';
import type { Writing } from './firestore-writing.ts';

/** Records that come from another store, as they are. */
export interface Parcel {
  readonly runs: readonly Run[];
  readonly logs: readonly LogChunk[];
  readonly specs: readonly SpecRecord[];
  readonly actions: readonly ActionRecord[];
}

const WRITES_AT_ONCE = 200;
/** A request holds 10 MB at most, and 4 MB on the emulator. */
const BYTES_AT_ONCE = 3_000_000;

/** Takes records from elsewhere. What is put twice is there once: an import can begin again. */
export class Importer {
  readonly #rpc: Rpc;
  readonly #writing: Writing;

  constructor(rpc: Rpc, writing: Writing) {
    this.#rpc = rpc;
    this.#writing = writing;
  }

  async put({ runs, logs, specs, actions }: Parcel): Promise<void> {
    const writes = [
      ...runs.map((run) => writeOf(this.#rpc.nameOf(`runs/${run.id}`), encodeRun(run))),
      ...logs.map((chunk) => chunkWrite(this.#rpc, chunk)),
      ...specs.map((spec) => specWrite(this.#rpc, spec)),
      ...actions.map((action) => actionWrite(this.#rpc, action)),
    ];
    for (const batch of batches(writes)) await this.#writing.put('import', batch);
  }

  /** Creates a job's document; false where there is one already. */
  async putJob(record: JobRecord): Promise<boolean> {
    const encoded = encodeJob(record, record.rev);
    return await this.#writing.replace('import', `jobs/${record.name}`, encoded, undefined);
  }
}

function* batches(writes: readonly Write[]): Generator<Write[]> {
  let batch: Write[] = [];
  let bytes = 0;
  for (const write of writes) {
    const size = JSON.stringify(write).length * 1.2;
    if (batch.length > 0 && (batch.length >= WRITES_AT_ONCE || bytes + size > BYTES_AT_ONCE)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(write);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
