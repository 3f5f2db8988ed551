import type { Outcome } from '../server/core/records.ts';
import type { JobSummary } from '../server/core/summary.ts';
import type { Instant } from '../server/core/time.ts';
import { html, type Html } from './html.ts';
import { noRuns, runLink } from './runs.ts';
import { runBadge } from './state.ts';
import { duration, time } from './time.ts';

const SHOWN = 20;

/** The newest outcomes of all jobs, as their own records tell them: no run is read for it. */
export function outcomesTable(jobs: readonly JobSummary[], now: Instant): Html {
  const newest = jobs
    .flatMap(({ name, recent }) => recent.map((outcome) => ({ name, outcome })))
    .toSorted((a, b) => b.outcome.at - a.outcome.at)
    .slice(0, SHOWN);
  if (newest.length === 0) return noRuns;
  return html`<table class="cards runs">
    <thead><tr><th>Run</th><th>Job</th><th>At</th><th>Duration</th></tr></thead>
    <tbody>${newest.map(({ name, outcome }) => outcomeRow(name, outcome, now))}</tbody>
  </table>`;
}

const outcomeRow = (job: string, { id, state, at, ms }: Outcome, now: Instant): Html => html`
  <tr>
    <td data-label="Run">${runLink(id, runBadge(state))}</td>
    <td class="name" data-label="Job">${job}</td>
    <td data-label="At">${time(at, now)}</td>
    <td data-label="Duration">${ms === null ? '–' : duration(ms)}</td>
  </tr>`;
