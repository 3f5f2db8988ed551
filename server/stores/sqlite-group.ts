import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../core/time.ts';
import type { Connection, Tried } from './sqlite-connection.ts';
import { isBusy } from './sqlite-errors.ts';
import { BUSY_LIMIT_MS, Patience } from './sqlite-patience.ts';

/** One write that waits: a whole of its own, that stands or not whatever becomes of the others. */
interface Member {
  readonly giveUpAt: number;
  /** Writes it; false where it is not to stand. */
  attempt(): boolean;
  /** Tells who waits for it what the attempt came to. */
  tell(): void;
  fail(error: unknown): void;
}

/** So many hold up who else is at this file, or in this process, for a few milliseconds. */
const MEMBERS_LIMIT = 64;

/**
 * Writes that are asked for in the same turn share one transaction, and so one wait for the disk.
 * Each has a savepoint of its own, so that one which fails takes back itself only; but nobody hears
 * of anything before all of it is committed. Where that fails, so it is for each of them.
 */
export class WriteGroup {
  readonly #connection: Connection;
  readonly #clock: Clock;
  #waiting: Member[] = [];
  #atWork = false;

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  add<Value>(work: () => Tried<Value>): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    let tried: Tried<Value> | undefined;
    this.#waiting.push({
      giveUpAt: this.#clock.monotonic() + BUSY_LIMIT_MS,
      attempt() {
        tried = work();
        return tried.keep;
      },
      tell: () => tried && resolve(tried.value),
      fail: reject,
    });
    if (!this.#atWork) void this.#work();
    return promise;
  }

  /** Writes what waits, for the file is about to be closed. */
  finish(): void {
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MEMBERS_LIMIT);
      try {
        this.#commit(group);
      } catch (error) {
        for (const member of group) member.fail(this.#connection.explain(error));
      }
    }
  }

  async #work(): Promise<void> {
    this.#atWork = true;
    // Who else writes in this turn comes along; so do those who come while another has the file.
    await setImmediate();
    for (let patience = new Patience(this.#clock); this.#waiting.length > 0;) {
      const group = this.#waiting.splice(0, MEMBERS_LIMIT);
      try {
        this.#commit(group);
        patience = new Patience(this.#clock);
        // oxlint-disable-next-line no-await-in-loop -- what else the process does comes in between
        await setImmediate();
      } catch (error) {
        const now = this.#clock.monotonic();
        const again = isBusy(error) ? group.filter(({ giveUpAt }) => giveUpAt > now) : [];
        for (const member of group) {
          if (!again.includes(member)) member.fail(this.#connection.explain(error));
        }
        if (again.length === 0) continue;
        this.#waiting.unshift(...again);
        await patience.pause();
      }
    }
    this.#atWork = false;
  }

  /** Throws where nothing of it stands, or where nobody knows. */
  #commit(group: readonly Member[]): void {
    const connection = this.#connection;
    connection.assertWritable();
    connection.run('BEGIN IMMEDIATE');
    const failed = new Map<Member, unknown>();
    let kept = 0;
    for (const member of group) {
      connection.run('SAVEPOINT member');
      try {
        const keep = member.attempt();
        if (keep) kept += 1;
        else connection.run('ROLLBACK TO member');
      } catch (error) {
        // SQLite ends the whole transaction by itself for some errors, as when the disk is full.
        if (isBusy(error) || !connection.db.isTransaction) {
          connection.rollback();
          throw error;
        }
        connection.run('ROLLBACK TO member');
        failed.set(member, error);
      }
      connection.run('RELEASE member');
    }
    if (kept > 0) connection.commit();
    else connection.rollback();
    for (const member of group) {
      if (failed.has(member)) member.fail(connection.explain(failed.get(member)));
      else member.tell();
    }
  }
}
