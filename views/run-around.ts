import type { Outcome } from '../server/core/records.ts';
import { html, type Html, type Printable } from './html.ts';
import type { RunView } from './run-view.ts';
import { isLive, mark, stateWord, toneOf } from './state.ts';
import { time } from './time.ts';
import { runUrl } from './urls.ts';

/** A job's record keeps so many outcomes. */
const RECENT_LIMIT = 60;

/**
 * The job's outcomes before and after this run, from those that its record keeps. What it has
 * forgotten is looked for when it is wanted.
 */
export function aroundRun({ run, record, now }: RunView): Html {
  const recent = record?.recent ?? [];
  const at = recent.findIndex(({ id }) => id === run.id);
  const live = isLive(run.state);
  const forgotten = at === -1 && !live;
  const older = live ? recent.at(-1) : recent[at - 1];
  const newer = at === -1 ? undefined : recent[at + 1];
  const olderStill = forgotten || (at === 0 && recent.length === RECENT_LIMIT);
  const url = runUrl(run.id);
  return html`<nav id="around" class="around" aria-label="Runs of this job">
    ${older ? outcomeLink('prev', older, now) : olderStill && plainLink('prev', url)}
    ${newer ? outcomeLink('next', newer, now) : forgotten && plainLink('next', url)}
  </nav>`;
}

const WORDS = { prev: 'Earlier', next: 'Later' } as const;
type Way = keyof typeof WORDS;

const outcomeLink = (way: Way, { id, state, at }: Outcome, now: number): Html =>
  html`<a rel="${way}" href="${runUrl(id)}">${arrow(way, 'prev')}${WORDS[way]}:
    <span class="badge ${toneOf(state)}">${mark(state)}${stateWord(state)}</span>
    <small>${time(at, now)}</small>${arrow(way, 'next')}</a>`;

const plainLink = (way: Way, url: string): Html =>
  html`<a rel="${way}" href="${url}/${WORDS[way].toLowerCase()}">${arrow(way, 'prev')}${
    WORDS[way]
  } run${arrow(way, 'next')}</a>`;

const arrow = (way: Way, shown: Way): Printable =>
  way === shown && html`<span aria-hidden="true">${way === 'prev' ? '← ' : ' →'}</span>`;
