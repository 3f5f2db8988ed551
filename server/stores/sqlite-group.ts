import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../core/time.ts';
import type { Connection, Tried } from './sqlite-connection.ts';
import { isBusy } from './sqlite-errors.ts';
import { BUSY_LIMIT_MS, Patience } from './sqlite-patience.ts';

/** One write that waits: a whole of its own, that stands or not whatever becomes of the others. */
interface Member {
  readonly giveUpAt: number;
  readonly bearsTime: boolean;
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
 * Where one of them is not to stand, all are written anew, each with a savepoint of its own, so
 * that it takes back itself only; but nobody hears of anything before all of it is committed. Where
 * that fails, so it is for each of them.
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

  add<Value>(work: () => Tried<Value>, bearsTime: boolean): Promise<Value> {
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    let tried: Tried<Value> | undefined;
    this.#waiting.push({
      giveUpAt: this.#clock.monotonic() + BUSY_LIMIT_MS,
      bearsTime,
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
    const failed = new Map<Member, unknown>();
    try {
      if (this.#write(group, (member) => this.#attempt(member, failed))) connection.commit();
      else this.#commitApart(group, failed);
    } catch (error) {
      connection.rollback();
      throw error;
    }
    for (const member of group) {
      if (failed.has(member)) member.fail(connection.explain(failed.get(member)));
      else member.tell();
    }
  }

  /** Begins, and writes one after the other until one is not to stand: whether all are. */
  #write(group: readonly Member[], attempt: (member: Member) => boolean): boolean {
    const connection = this.#connection;
    connection.begin('BEGIN IMMEDIATE');
    connection.onWrite(group.some(({ bearsTime }) => bearsTime));
    return group.every(attempt);
  }

  /** Once more from the start, each with a savepoint: seldom needed, and they cost much. */
  #commitApart(group: readonly Member[], failed: Map<Member, unknown>): void {
    const connection = this.#connection;
    connection.rollback();
    // Of one alone nothing stands, and that is what it is told.
    if (group.length === 1) return;
    failed.clear();
    let kept = 0;
    this.#write(group, (member) => {
      if (this.#attemptApart(member, failed)) kept += 1;
      return true;
    });
    if (kept > 0) connection.commit();
    else connection.rollback();
  }

  #attemptApart(member: Member, failed: Map<Member, unknown>): boolean {
    const connection = this.#connection;
    connection.run('SAVEPOINT member');
    const keep = this.#attempt(member, failed);
    if (!keep) {
      connection.kept.clear();
      connection.run('ROLLBACK TO member');
    }
    connection.run('RELEASE member');
    return keep;
  }

  /** Whether it is to stand. Throws where it takes the whole transaction with it. */
  #attempt(member: Member, failed: Map<Member, unknown>): boolean {
    try {
      return member.attempt();
    } catch (error) {
      // SQLite ends the whole transaction by itself for some errors, as when the disk is full.
      if (isBusy(error) || !this.#connection.db.isTransaction) throw error;
      failed.set(member, error);
      return false;
    }
  }
}
