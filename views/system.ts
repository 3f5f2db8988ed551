import type { Cost } from '../server/core/cost.ts';
import type { Instant } from '../server/core/time.ts';
import { html, type Html, type Printable } from './html.ts';
import { page, type AssetPaths } from './layout.ts';
import { duration, utc } from './time.ts';

export interface SystemView {
  readonly now: Instant;
  readonly facts: readonly (readonly [label: string, value: string])[];
  /** What this process was billed, by operation; undefined where nothing is billed. */
  readonly costs: ReadonlyMap<string, Cost> | undefined;
  readonly total: Cost;
  readonly upMs: number;
}

/** What the service is made of, and what it cost. */
export const systemPage = (view: SystemView, assets: AssetPaths): Html =>
  page({
    title: 'System',
    assets,
    body: html`<section>
        <div class="head">
          <h1>System</h1><small>as of ${utc(view.now - (view.now % 1000))}</small>
        </div>
        <dl class="facts">${view.facts.map(
          ([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`,
        )}</dl>
      </section>
      ${view.costs !== undefined && costs(view.costs, view)}`,
  });

const costs = (
  all: ReadonlyMap<string, Cost>,
  { total, upMs }: Pick<SystemView, 'total' | 'upMs'>,
): Printable => html`<section>
    <h2>Documents billed</h2>
    <p class="none">What this process read, wrote and deleted in the ${duration(upMs)} since it
      started. Other instances count for themselves.${all.has('unsure') && unsure}</p>
    <div class="scroll" tabindex="0"><table>
      <thead><tr><th>Operation</th><th>Reads</th><th>Writes</th><th>Deletes</th></tr></thead>
      <tbody>${[...all].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(costRow)}</tbody>
      <tfoot>${costRow(['all', total])}</tfoot>
    </table></div>
  </section>`;

const unsure = ` Of commits whose reply was lost nobody can say whether they are billed: they are
  counted as unsure.`;

const costRow = ([op, { reads, writes, deletes }]: readonly [string, Cost]): Html => html`<tr>
    <td>${op}</td><td>${number(reads)}</td><td>${number(writes)}</td><td>${number(deletes)}</td>
  </tr>`;

const number = (n: number): string => n.toLocaleString('en-GB');
