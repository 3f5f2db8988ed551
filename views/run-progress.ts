import { html, type Html, type Printable } from './html.ts';
import { leaseOf, type RunView } from './run-view.ts';
import { duration, time } from './time.ts';
import { roundedUp } from './waterfall.ts';

/** How far a run is, and when it should be over; nothing where neither can be said. */
export function progressPart(view: RunView): Printable {
  const { run, progress } = view;
  const live = run.state === 'running';
  const usual = live ? usualEnd(view) : null;
  if (progress === null) return usual && html`<p class="progress"><span>${usual}</span></p>`;
  const { done, total } = progress;
  if (total === null || total <= 0) {
    return html`<p class="progress"><span>${amount(done)} done. ${usual}</span></p>`;
  }
  const share = Math.max(0, Math.min(1, done / total));
  return html`<p class="progress">
    <progress value="${share}" max="1" aria-label="Progress"></progress>
    <b>${Math.floor(share * 100)} %</b>
    <span>${amount(done)} of ${amount(total)}${live && reckonedEnd(view, share)}</span></p>`;
}

const amount = (n: number): string =>
  n.toLocaleString('en-GB', { maximumFractionDigits: 2 }).slice(0, 40);

/** From what is done of it, as fast as until now. Too little of it tells nothing. */
const LEAST_SHARE = 0.01;

function reckonedEnd(view: RunView, share: number): Printable {
  const { now } = view;
  const lease = leaseOf(view);
  if (lease === null || lease.cancel !== null || share < LEAST_SHARE || share >= 1) return null;
  // Reckoned anew at few moments only: a page that is asked for again is mostly the same.
  const took = roundedUp(Math.max(0, now - lease.startedAt));
  return html`, at this pace done ${time(lease.startedAt + took / share, now)}`;
}

/** From what the job's last runs took. */
function usualEnd(view: RunView): Html | null {
  const { now, usualMs } = view;
  const lease = leaseOf(view);
  if (lease === null || lease.cancel !== null || usualMs === null) return null;
  const end = lease.startedAt + usualMs;
  const usually = html`It usually takes ${duration(usualMs)}`;
  return now < end
    ? html`${usually}, so it should be over ${time(end, now)}.`
    : html`${usually}, so it should have been over ${time(end, now)}.`;
}
