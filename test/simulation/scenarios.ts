import type { Behaviour } from './handlers.ts';
import type { SimulatedJob } from './setting.ts';

/** Something that happens at a time of a story; times in s since its beginning, job "a" is meant. */
export type Act =
  | { readonly at: number; readonly do: 'trigger' | 'tick' | 'manual' | 'beside' | 'cancel' }
  | { readonly at: number; readonly do: 'pause' | 'resume' | 'backfill' | 'free' | 'retry request' }
  | { readonly at: number; readonly do: 'start' | 'drain' | 'kill' | 'stand still' | 'deploy' };

export interface Scenario {
  readonly name: string;
  readonly jobs: readonly SimulatedJob[];
  /** What the other build has in its code, for a deploy. */
  readonly next?: readonly SimulatedJob[];
  /** What the handler does at each attempt, the last for all that follow; quick, if not given. */
  readonly handlers?: readonly Behaviour[];
  /** In s; two seconds before its first act, if not given. */
  readonly begins?: number;
  readonly acts: readonly Act[];
}

/** Occurrences lie at full minutes: the first at 60 s. The lease is 3 s, the tick 2 s. */
const a = (more: Partial<SimulatedJob> = {}): SimulatedJob => ({
  name: 'a',
  schedule: '* * * * *',
  timeout: '4s',
  catchUp: { runs: 'latest', within: '3m' },
  ...more,
});
const byHand = ({ schedule: _none, ...more }: SimulatedJob): SimulatedJob => more;
const retried = { attempts: 2, backoff: { from: '1s', jitter: 0 } } as const;

/** Short stories. A process is up from the beginning. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'one occurrence', jobs: [a()], acts: [{ at: 60, do: 'trigger' }] },
  { name: 'a trigger before its time', jobs: [a()], acts: [{ at: 59.95, do: 'trigger' }] },
  {
    name: 'a run by hand',
    jobs: [byHand(a())],
    acts: [{ at: 10, do: 'manual' }],
  },
  {
    name: 'a run by hand, asked for twice',
    jobs: [byHand(a())],
    acts: [
      { at: 10, do: 'manual' },
      { at: 11, do: 'retry request' },
    ],
  },
  {
    name: 'a pause',
    jobs: [a()],
    acts: [
      { at: 50, do: 'pause' },
      { at: 60, do: 'trigger' },
    ],
  },
  {
    name: 'a handler that throws',
    jobs: [a()],
    handlers: ['fail'],
    acts: [{ at: 60, do: 'trigger' }],
  },
  {
    name: 'two triggers at once',
    jobs: [a()],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 60, do: 'trigger' },
    ],
  },
  {
    name: 'a run by hand beside another',
    jobs: [byHand(a())],
    acts: [
      { at: 10, do: 'manual' },
      { at: 10.1, do: 'beside' },
    ],
  },
  {
    name: 'a backfill',
    jobs: [a()],
    begins: 50,
    acts: [
      { at: 52, do: 'drain' },
      { at: 128, do: 'start' },
      { at: 130, do: 'backfill' },
    ],
  },
  {
    name: 'an outage',
    jobs: [a()],
    begins: 50,
    acts: [
      { at: 52, do: 'drain' },
      { at: 303, do: 'start' },
      { at: 305, do: 'trigger' },
    ],
  },
  {
    name: 'an outage caught up with in full',
    jobs: [a({ catchUp: { runs: 'all', within: '3m' } })],
    begins: 50,
    acts: [
      { at: 52, do: 'drain' },
      { at: 303, do: 'start' },
      { at: 305, do: 'trigger' },
    ],
  },
  {
    name: 'a pause and its end',
    jobs: [a()],
    acts: [
      { at: 50, do: 'pause' },
      { at: 70, do: 'resume' },
      { at: 120, do: 'trigger' },
    ],
  },
  {
    name: 'a retry',
    jobs: [a({ retry: retried })],
    handlers: ['fail', 'quick'],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 70, do: 'tick' },
    ],
  },
  {
    name: 'a retry that is cancelled',
    jobs: [a({ retry: { attempts: 2, backoff: { from: '1m', jitter: 0 } } })],
    handlers: ['fail'],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 70, do: 'cancel' },
    ],
  },
  {
    name: 'a timeout',
    jobs: [a()],
    handlers: ['hang'],
    acts: [{ at: 60, do: 'trigger' }],
  },
  {
    name: 'a cancel',
    jobs: [a({ timeout: '1m' })],
    handlers: ['hang'],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 62, do: 'cancel' },
    ],
  },
  {
    name: 'a cancel, asked of another process',
    jobs: [a({ timeout: '1m' })],
    handlers: ['hang'],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 61, do: 'start' },
      { at: 62, do: 'cancel' },
    ],
  },
  {
    name: 'an occurrence that is skipped',
    jobs: [a()],
    handlers: ['hang', 'quick'],
    acts: [
      { at: 118, do: 'manual' },
      { at: 120, do: 'trigger' },
      { at: 123, do: 'tick' },
    ],
  },
  {
    name: 'an occurrence that waits',
    jobs: [a({ overlap: 'queue', timeout: '2m' })],
    handlers: ['toTheMinute', 'quick'],
    acts: [
      { at: 118, do: 'trigger' },
      { at: 120, do: 'trigger' },
    ],
  },
  {
    name: 'an occurrence that replaces another',
    jobs: [a({ overlap: 'replace', timeout: '2m' })],
    handlers: ['hang', 'quick'],
    acts: [
      { at: 118, do: 'trigger' },
      { at: 120, do: 'tick' },
      { at: 123, do: 'tick' },
    ],
  },
  {
    name: 'runs by hand that wait',
    jobs: [byHand(a({ overlap: 'queue' }))],
    acts: [
      { at: 10, do: 'manual' },
      { at: 10.1, do: 'manual' },
      { at: 10.2, do: 'manual' },
    ],
  },
  {
    name: 'two slots',
    jobs: [byHand(a({ overlap: { allow: 2 } }))],
    acts: [
      { at: 10, do: 'manual' },
      { at: 10.1, do: 'manual' },
      { at: 10.2, do: 'manual' },
    ],
  },
  {
    name: 'a process that is told to stop',
    jobs: [a({ retry: retried, timeout: '1m' })],
    handlers: ['hang', 'quick'],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 61, do: 'drain' },
      { at: 62, do: 'start' },
      { at: 64, do: 'tick' },
    ],
  },
  {
    name: 'a process that is told to stop and does not look up',
    jobs: [a({ timeout: '1m' })],
    handlers: ['ignore', 'quick'],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 61, do: 'drain' },
      { at: 67, do: 'start' },
      { at: 72, do: 'tick' },
    ],
  },
  {
    name: 'a process that is killed',
    jobs: [a({ onLost: 'retry', retry: retried, timeout: '1m' })],
    handlers: ['hang', 'quick'],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 61, do: 'kill' },
      { at: 62, do: 'start' },
      { at: 66, do: 'tick' },
    ],
  },
  {
    name: 'a process that stands still for longer than its lease',
    jobs: [a({ timeout: '1m' })],
    handlers: ['hang', 'quick'],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 61, do: 'stand still' },
      { at: 61, do: 'start' },
      { at: 66, do: 'tick' },
      { at: 72, do: 'tick' },
    ],
  },
  {
    name: 'a slot that is freed by a person',
    jobs: [a({ timeout: '1m' })],
    handlers: ['ignore', 'quick'],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 62, do: 'free' },
    ],
  },
  {
    name: 'a new definition',
    jobs: [a()],
    next: [a({ schedule: '*/2 * * * *', overlap: 'queue' })],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 70, do: 'deploy' },
      { at: 120, do: 'trigger' },
    ],
  },
  {
    name: 'a job that leaves the code while it runs',
    jobs: [a({ timeout: '1m' }), { ...a(), name: 'b' }],
    next: [{ ...a(), name: 'b' }],
    handlers: ['work'],
    acts: [
      { at: 60, do: 'trigger' },
      { at: 60.2, do: 'deploy' },
      { at: 70, do: 'tick' },
    ],
  },
  {
    name: 'two processes, each its own trigger',
    jobs: [a()],
    acts: [
      { at: 1, do: 'start' },
      { at: 60, do: 'tick' },
      { at: 60, do: 'tick' },
      { at: 60.001, do: 'trigger' },
    ],
  },
];
