import type { Run } from '../server/core/records.ts';
import type { JobSummary } from '../server/core/summary.ts';
import type { Instant } from '../server/core/time.ts';
import { html, type Html } from './html.ts';
import { jobsTable } from './jobs.ts';
import { page, poller, type AssetPaths } from './layout.ts';
import { outcomesTable } from './outcomes.ts';
import { runsTable } from './runs.ts';
import { utc } from './time.ts';

export interface Overview {
  readonly jobs: readonly JobSummary[];
  /** Null where reading them would be billed: then the jobs' own records tell what ran. */
  readonly runs: readonly Run[] | null;
  readonly now: Instant;
  readonly refreshSeconds: number;
}

export const overviewPage = (overview: Overview, assets: AssetPaths): Html =>
  page({
    title: 'Jobs',
    assets,
    body: html`<div id="overview">${overviewFragment(overview)}</div>`,
  });

/** What stands on the front page, and what its poll puts there. */
export const overviewFragment = ({ jobs, runs, now, refreshSeconds }: Overview): Html => html`
  ${poller({ url: '/fragments/overview', target: '#overview', seconds: refreshSeconds })}
  <section>
    <div class="head"><h1>Jobs</h1><small>as of ${utc(now - (now % 1000))}</small></div>
    ${jobsTable(jobs, now)}
  </section>
  <section>
    <h2 id="runs">Newest runs</h2>
    ${runs === null ? outcomesTable(jobs, now) : runsTable(runs, now)}
  </section>`;
