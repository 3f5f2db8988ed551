import type { Cost } from '../server/core/cost.ts';
import type { Instance } from '../server/core/instances.ts';
import type { LastWake } from '../server/core/last-wake.ts';
import type { Lease } from '../server/core/records.ts';
import type { Build } from '../server/core/register.ts';
import type { SchedulerNote } from '../server/core/scheduler-note.ts';
import type { SelfAudit } from '../server/core/self-audit.ts';
import type { Instant, Timing } from '../server/core/time.ts';
import { fitted } from './fit.ts';
import { html, type Html, type Printable } from './html.ts';
import { factRows, type Fact } from './layout.ts';
import { auditWords, checksOf, stepWords, type Check } from './system-checks.ts';
import {
  brokenTable,
  buildsTable,
  costsTable,
  callsTable,
  instancesTable,
  leasesTable,
  waitingTable,
} from './system-tables.ts';
import { count, duration, exactTime, number, since, time } from './time.ts';

export interface SystemView {
  readonly now: Instant;
  readonly timing: Timing;
  /** When this process started. */
  readonly startedAt: Instant;
  readonly process: ProcessFacts;
  readonly store: StoreFacts;
  readonly wake: WakeFacts;
  /** Null where Cloud Scheduler has no part in it. */
  readonly scheduler: SchedulerFacts | null;
  readonly instances: readonly Instance[];
  readonly builds: readonly Build[];
  /** The one held longest first. */
  readonly leases: readonly HeldLease[];
  readonly waiting: readonly Waiting[];
  /** Jobs that came due a while ago, and that nobody has looked at since. */
  readonly overdue: readonly string[];
  readonly broken: readonly { readonly name: string; readonly problem: string }[];
  /** Undefined where none was ever made. */
  readonly audit: SelfAudit | undefined;
  /** Whether the job that makes it is on the list of jobs. */
  readonly auditJob: boolean;
  /** What this process asked of the store, by operation; undefined where nobody counts. */
  readonly calls: ReadonlyMap<string, number> | undefined;
  /** What it was billed; undefined where nothing is billed. */
  readonly costs: ReadonlyMap<string, Cost> | undefined;
  readonly total: Cost;
}

export interface ProcessFacts {
  readonly owner: string;
  readonly build: string;
  readonly namespace: string;
  readonly versions: { readonly punctual: string; readonly node: string; readonly sqlite: string };
  /** Version of its time-zone data. */
  readonly zones: string;
  readonly memoryBytes: number;
  readonly jobs: number;
  readonly running: number;
  readonly full: boolean;
  readonly draining: boolean;
}

export interface StoreFacts {
  readonly place: string;
  /** Why this process can't write to it; null while it can. */
  readonly trouble: string | null;
  readonly unsteady: string | null;
  /** By how much the store's time is ahead of this process's clock, and how sure that is. */
  readonly skewMs: number;
  readonly skewWithinMs: number;
}

export interface WakeFacts {
  readonly by: 'timer' | 'tick';
  readonly last: LastWake | null;
  /** Why wake-ups fail at present; null while they do not. */
  readonly trouble: string | null;
}

export interface SchedulerFacts {
  /** Undefined where it was never compared. */
  readonly note: SchedulerNote | undefined;
  /** Whether what the code says of triggers has changed since. */
  readonly changed: boolean;
  /** Jobs that were paused then, and are not now. */
  readonly resumed: readonly string[];
}

export interface HeldLease extends Lease {
  readonly job: string;
  /** When it runs out, unless it is renewed. */
  readonly endsAt: Instant;
}

/** A run that waits for its turn, or for its next attempt. */
export interface Waiting {
  readonly job: string;
  readonly runId: string;
  readonly state: 'queued' | 'retry_wait';
  readonly since: Instant;
  /** Not before; null for a place in a queue. */
  readonly until: Instant | null;
}

/** Whether all is well, what is not, and what the service is made of. */
export function systemBody(view: SystemView): Html {
  const checks = checksOf(view);
  return html`<section class="system">
    <h1>System</h1>
    ${verdict(checks)}
  </section>
  ${brokenTable(view)}
  <div class="panels">
    ${panel('Wake-ups', wakeFacts(view))}
    ${panel('Store', storeFacts(view))}
    ${panel('Self-audit', auditFacts(view))}
    ${panel('This process', processFacts(view))}
  </div>
  ${leasesTable(view)}${waitingTable(view)}${instancesTable(view)}${buildsTable(view)}
  ${costsTable(view)}${callsTable(view)}`;
}

function verdict(checks: readonly Check[]): Html {
  const [first] = checks;
  if (first === undefined) {
    return html`<p class="verdict good">${icon(WELL)}All is well</p>`;
  }
  const { length } = checks;
  return html`<p class="verdict ${first.tone}">${icon(LOOK)}${count(length, 'thing')}
      ${length === 1 ? 'needs' : 'need'} a look</p>
    <ol class="checks">${checks.map(
      ({ tone, what, todo }) => html`<li class="${tone}" data-row tabindex="-1">
        <strong>${what}</strong><span>${todo}</span></li>`,
    )}</ol>`;
}

const WELL = 'M2 6.5 4.8 9.3 10 3';
const LOOK = 'M6 1.8 10.8 10H1.2zM6 5v2.2M6 8.5v.1';

const icon = (d: string): Html =>
  html`<svg class="mark" viewBox="0 0 12 12" aria-hidden="true"><path d="${d}"/></svg>`;

const panel = (title: string, facts: readonly Fact[]): Html => html`<section class="panel">
    <h2>${title}</h2>
    <dl>${factRows(facts)}</dl>
  </section>`;

function wakeFacts({ wake, now, timing, scheduler }: SystemView): Fact[] {
  const { last } = wake;
  const tick = `what posts to /triggers/tick, each ${duration(timing.tickMs)}`;
  return [
    ['Woken by', wake.by === 'timer' ? 'this process’s own timer' : tick],
    ['Last wake-up', last === null ? 'none yet' : time(last.at, now)],
    [
      'It found',
      last !== null &&
        `${last.lagMs < ON_TIME_MS ? 'nothing late' : `what was ${duration(last.lagMs)} late`}, ${
          last.started === 0 ? 'and started nothing' : `and started ${count(last.started, 'run')}`
        }`,
    ],
    ['Cloud Scheduler', schedulerWords(scheduler, now)],
  ];
}

const ON_TIME_MS = 1000;

function schedulerWords(scheduler: SchedulerFacts | null, now: Instant): Printable {
  if (scheduler === null) return 'not used: this process wakes itself';
  const { note, changed } = scheduler;
  if (note === undefined) {
    return html`never compared (<code>npm run scheduler:sync -- --check</code>)`;
  }
  if (!note.inSync) return html`out of step ${time(note.at, now)}: ${stepWords(note)}`;
  if (changed) return html`in step ${time(note.at, now)}; the code changed since`;
  return html`in step when last compared, ${time(note.at, now)}`;
}

function storeFacts({ store, waiting, leases }: SystemView): Fact[] {
  const { skewMs, skewWithinMs } = store;
  // In steps, so that the page is the same while it is as good as the same.
  const off = Math.round(Math.abs(skewMs) / 100) / 10;
  const sure = Math.ceil(skewWithinMs / 100) / 10;
  const way = skewMs > 0 ? 'behind' : 'ahead of';
  return [
    ['Place', store.place],
    ['Its clock', store.unsteady ?? 'steady'],
    [
      'This process’s clock',
      off === 0 ? `the same, within ${Math.max(0.1, sure)} s` : `${off} s ${way} the store’s`,
    ],
    ['Leases held', number(leases.length)],
    ['Runs that wait', number(waiting.length)],
  ];
}

/** In bytes of the page. */
const GAP_SHOWN = 400;

function auditFacts(view: SystemView): Fact[] {
  const { audit, auditJob, now } = view;
  if (audit === undefined) {
    return [
      ['Result', 'none yet'],
      [
        'To have one',
        auditJob
          ? html`run <a href="/jobs/self-audit">self-audit</a>, or wait for its time`
          : html`put <code>selfAudit</code> on the list in <code>jobs/index.ts</code>`,
      ],
    ];
  }
  const { occurrences, jobs, runs, ranges, lookedBackTo, firstGaps } = audit;
  return [
    ['Result', html`<b class="${audit.gaps > 0 ? 'bad' : 'good'}">${auditWords(view)}</b>`],
    ['Last made', time(audit.at, now)],
    [
      'Looked at',
      html`${count(occurrences, 'occurrence')} of ${count(jobs, 'job')}${
        lookedBackTo !== null && html`, back to ${exactTime(lookedBackTo)}`
      }`,
    ],
    ['Found in', `${count(runs, 'run')} and ${count(ranges, 'range')}`],
    [
      'The first gaps',
      firstGaps.length > 0 &&
        html`<ul class="gaps">${firstGaps.map(
          (gap) => html`<li>${fitted(gap, GAP_SHOWN)}</li>`,
        )}</ul>`,
    ],
  ];
}

const MEMORY_STEP = 10;

function processFacts({ process, startedAt, now, timing }: SystemView): Fact[] {
  const { versions, memoryBytes, running, full, draining } = process;
  const megabytes = Math.round(memoryBytes / 2 ** 20 / MEMORY_STEP) * MEMORY_STEP;
  const room = draining ? ', shutting down' : full ? ', no room for more' : '';
  return [
    ['Name', process.owner],
    ['Build', process.build],
    ['Namespace', process.namespace],
    ['Up for', since(startedAt, now)],
    ['Memory', `about ${megabytes} MB`],
    ['Runs at work', `${running}${room}`],
    ['Jobs in its code', number(process.jobs)],
    ['Lease', duration(timing.leaseMs)],
    ['Versions', `Punctual ${versions.punctual}, Node ${versions.node}, SQLite ${versions.sqlite}`],
    ['Time zones', `data of ${process.zones}`],
  ];
}
