import type { Cost } from '../server/core/cost.ts';
import type { Instant } from '../server/core/time.ts';
import { fitted } from './fit.ts';
import { html, type Html, type Printable } from './html.ts';
import { jobLink, runLink } from './runs.ts';
import { runBadge } from './state.ts';
import type { HeldLease, SystemView, Waiting } from './system.ts';
import { count, number, since, time } from './time.ts';

/** More rows than this are no overview. */
const ROWS = 50;
/** In bytes of the page. */
const NAME_SHOWN = 200;
const PROBLEM_SHOWN = 500;

interface Table {
  readonly title: string;
  readonly about?: Printable;
  readonly columns: readonly string[];
  readonly rows: readonly Html[];
}

/** Nothing at all where it has no rows. */
function table({ title, about, columns, rows }: Table): Printable {
  if (rows.length === 0) return null;
  const left = rows.length - ROWS;
  return html`<section>
    <h2>${title}</h2>
    ${about !== undefined && html`<p class="none">${about}</p>`}
    <table class="cards">
      <thead><tr>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${rows.slice(0, ROWS)}</tbody>
    </table>
    ${left > 0 && html`<p class="none">${number(left)} more not shown here.</p>`}
  </section>`;
}

const row = (columns: readonly string[], cells: readonly Printable[]): Html =>
  html`<tr data-row tabindex="-1">${cells.map(
    (cell, i) => html`<td data-label="${columns[i]}"><span>${cell}</span></td>`,
  )}</tr>`;

const BROKEN = ['Job', 'Why nothing is decided about it'] as const;

export const brokenTable = ({ broken }: SystemView): Printable =>
  table({
    title: 'Jobs set aside',
    about: html`Put right what is said of each; then it goes on by itself. A record that can’t be
      read can be made anew by deleting it: the job is registered again, its history stays.`,
    columns: BROKEN,
    rows: broken.map(({ name, problem }) =>
      row(BROKEN, [jobLink(name), html`<b class="bad">${fitted(problem, PROBLEM_SHOWN)}</b>`]),
    ),
  });

const LEASES = ['Run', 'Attempt', 'Held by', 'Held for', 'Renewed', 'Runs out'] as const;

export const leasesTable = ({ leases, now, process }: SystemView): Printable =>
  table({
    title: 'Leases held',
    about: 'The right of an attempt to work. Whoever holds one renews it until it is done.',
    columns: LEASES,
    rows: leases.map((lease) => leaseRow(lease, now, process.owner)),
  });

const leaseRow = (lease: HeldLease, now: Instant, own: string): Html =>
  row(LEASES, [
    html`${runLink(lease.runId, lease.job)}${
      lease.cancel !== null && html` <small>told to stop</small>`
    }`,
    lease.attempt,
    ownerName(lease.owner, own),
    since(lease.startedAt, now),
    time(lease.renewedAt, now),
    lease.endsAt < now
      ? html`<b class="bad">ran out ${time(lease.endsAt, now)}</b>`
      : time(lease.endsAt, now),
  ]);

const ownerName = (owner: string, own: string): Html =>
  html`${fitted(owner, NAME_SHOWN)}${owner === own && html` <small>this process</small>`}`;

const WAITING = ['Run', 'State', 'Since', 'Not before'] as const;

export const waitingTable = ({ waiting, now }: SystemView): Printable =>
  table({
    title: 'Runs that wait',
    columns: WAITING,
    rows: waiting.map((one) => waitingRow(one, now)),
  });

const waitingRow = ({ job, runId, state, since: from, until }: Waiting, now: Instant): Html =>
  row(WAITING, [
    runLink(runId, job),
    runBadge(state),
    time(from, now),
    until === null ? 'a slot is free' : time(until, now),
  ]);

const INSTANCES = ['Process', 'Build', 'Since', 'Last seen', 'Runs at work'] as const;

export const instancesTable = ({ instances, now, process }: SystemView): Printable =>
  table({
    title: 'Instances',
    about: `Each notes itself from time to time; one that ended without a word stays for a day.`,
    columns: INSTANCES,
    rows: instances.map(({ owner, build, since: from, seenAt, running }) =>
      row(INSTANCES, [
        ownerName(owner, process.owner),
        fitted(build, NAME_SHOWN),
        time(from, now),
        time(seenAt, now),
        running,
      ]),
    ),
  });

const BUILDS = ['Build', 'First seen', 'Last seen', 'Its definitions'] as const;

export const buildsTable = ({ builds, now }: SystemView): Printable =>
  table({
    title: 'Builds',
    about: 'Of builds that are alive at once the newest one’s definitions hold.',
    columns: BUILDS,
    rows: builds.map(({ build, firstSeenAt, lastSeenAt, inForce }) =>
      row(BUILDS, [
        fitted(build, NAME_SHOWN),
        time(firstSeenAt, now),
        time(lastSeenAt, now),
        inForce ? html`<b class="good">hold</b>` : 'do not hold',
      ]),
    ),
  });

export function costsTable({ costs, total }: SystemView): Printable {
  if (costs === undefined) return null;
  return html`<section>
    <h2>Documents billed</h2>
    <p class="none">What this process read, wrote and deleted since it started. Other instances
      count for themselves.${costs.has('unsure') && unsure}</p>
    <div class="scroll narrow" tabindex="0" role="region" aria-label="Documents billed"><table>
      <thead><tr>${['Operation', 'Reads', 'Writes', 'Deletes'].map(
        (name) => html`<th scope="col">${name}</th>`,
      )}</tr></thead>
      <tbody>${sorted(costs).map(costRow)}</tbody>
      <tfoot>${costRow(['all', total])}</tfoot>
    </table></div>
  </section>`;
}

const sorted = <Value>(all: ReadonlyMap<string, Value>): [string, Value][] =>
  [...all].toSorted(([a], [b]) => (a < b ? -1 : 1));

const unsure = ` Of commits whose reply was lost nobody can say whether they are billed: they are
  counted as unsure.`;

const costRow = ([op, { reads, writes, deletes }]: readonly [string, Cost]): Html => html`<tr>
    <td>${op}</td><td>${number(reads)}</td><td>${number(writes)}</td><td>${number(deletes)}</td>
  </tr>`;

export function callsTable({ calls, costs }: SystemView): Printable {
  if (calls === undefined || costs !== undefined) return null;
  const all = [...calls.values()].reduce((sum, n) => sum + n, 0);
  return html`<section>
    <h2>Asked of the store</h2>
    <p class="none">${count(all, 'call')} of this process since it started, pages like this one
      among them.</p>
    <ul class="calls">${sorted(calls).map(
      ([op, n]) => html`<li><span>${op}</span> <b>${number(n)}</b></li>`,
    )}</ul>
  </section>`;
}
