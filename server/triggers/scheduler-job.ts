/*
 * A Cloud Scheduler job as we see it. Google's own form of it stands in `cloud-scheduler.ts` alone.
 */

/** What is set on one. Its headers and body are left as they are: nothing in them is read. */
export interface SchedulerSettings {
  /** Ends in the mark that makes it ours. */
  readonly description: string;
  readonly schedule: string;
  /** An IANA name; `UTC` for all of its names. */
  readonly timeZone: string;
  /** Where it sends its request; empty where it has another kind of target. */
  readonly url: string;
  readonly method: string;
  /** The service account and the audience of the token that the request bears; empty for none. */
  readonly account: string;
  readonly audience: string;
  /** How long it waits for the answer. */
  readonly deadlineMs: number;
  /** How often it tries again when the answer is not 200, and after what pauses. */
  readonly retries: number;
  /** How long it may go on trying; 0 for no limit. */
  readonly retryForMs: number;
  readonly retryFromMs: number;
  readonly retryToMs: number;
  readonly retryDoublings: number;
}

/** `disabled` is the system's doing, after an error; `update-failed` may not run meanwhile. */
export type SchedulerState = 'enabled' | 'paused' | 'disabled' | 'update-failed';

export interface SchedulerJob {
  /** The last part of its name; the project and the region are the service's. */
  readonly id: string;
  readonly settings: SchedulerSettings;
  readonly state: SchedulerState;
}

export type Setting = keyof SchedulerSettings;

/**
 * The jobs of one project and region. Each change is one call, made once, and tells whether it was
 * done: false says that the job was not as expected (there already, gone, paused), so look again.
 * Throws `SchedulerError`.
 */
export interface Scheduler {
  /** What it is and where, for people. */
  readonly place: string;
  list(): Promise<SchedulerJob[]>;
  create(id: string, settings: SchedulerSettings): Promise<boolean>;
  /** Changes the settings that are named, and no other. */
  update(id: string, settings: SchedulerSettings, named: readonly Setting[]): Promise<boolean>;
  pause(id: string): Promise<boolean>;
  resume(id: string): Promise<boolean>;
  delete(id: string): Promise<boolean>;
  /** Has it deliver now, also while an earlier delivery is under way. */
  run(id: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Why a call failed, in words for a person, with all that Cloud Scheduler says of it. */
export class SchedulerError extends Error {
  override readonly name = 'SchedulerError';
  /**
   * `passing`: the next try may succeed, and this one may have, too. `refused`: no call will do.
   * `invalid`: this job, as it is, is not taken.
   */
  readonly kind: 'passing' | 'refused' | 'invalid';

  constructor(kind: SchedulerError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
