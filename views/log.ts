import type { LogLine } from '../server/core/records.ts';
import type { Instant } from '../server/core/time.ts';
import { fit } from './fit.ts';
import { html, type Html, type Printable } from './html.ts';
import { options } from './layout.ts';
import { count, logTime } from './time.ts';
import { runUrl, withQuery } from './urls.ts';

/** A part of a log: lines in order, and marks between them. */
export interface LogPart {
  readonly entries: readonly LogEntry[];
  /** Where the lines before these end; null where none are kept, or none that match. */
  readonly before: string | null;
  /** Where the lines behind these begin. */
  readonly after: string;
}

export type LogEntry =
  | { readonly kind: 'line'; readonly line: LogLine }
  | { readonly kind: 'dropped' | 'behind'; readonly count: number }
  | { readonly kind: 'attempt'; readonly n: number };

/** What lines are looked for; empty for all. */
export interface LogFilter {
  readonly text: string;
  readonly level: '' | LogLine['level'];
}

export interface LogShown {
  readonly runId: string;
  readonly part: LogPart;
  readonly filter: LogFilter;
  /** When the run began: lines of other days are told with their date. */
  readonly since: Instant;
  /** How often to look for new lines; null where there will be none, or others come before them. */
  readonly seconds: number | null;
  /** True where newer lines than these were left out. */
  readonly older: boolean;
  /** Whether the run can still write. */
  readonly live: boolean;
}

/** The least grave first. */
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Where a page has the log already: what is in it stays as it is. */
export const logKept: Html = html`<section id="log" hx-morph-skip></section>`;

/** A run's log, oldest line first. Its script follows it, and looks for text in what is loaded. */
export const logSection = (shown: LogShown): Html => html`<section id="log" hx-morph-skip>
    <div class="head">
      <h2>Log</h2>
      <p class="none"><a href="${runUrl(shown.runId)}/log.txt" download>Download as text</a>
        or <a href="${runUrl(shown.runId)}/log.ndjson" download>JSON lines</a></p>
    </div>
    ${filterForm(shown)}
    <div class="log-box">
      <p id="log-earlier" class="log-more">${earlier(shown)}</p>
      <ol id="log-lines" class="log" tabindex="0" aria-label="Lines of the log, times in UTC"
        data-log>${logRows(shown.part, shown.since)}</ol>
      <p class="none log-empty">${nothing(shown)}</p>
      <button type="button" class="follow main" data-follow hidden></button>
    </div>
    ${
      shown.older &&
      html`<p class="log-more"><a href="${runUrl(shown.runId)}#log">Newest lines</a></p>`
    }
    ${logPoller(shown.runId, shown.part.after, shown.seconds)}
  </section>`;

const filterForm = ({ runId, filter }: LogShown): Html => html`<form class="filter" method="get"
      action="${runUrl(runId)}#log" role="search">
      <input type="search" name="text" value="${filter.text}" maxlength="200" data-search
        placeholder="Search the log" aria-label="Text to look for in the log">
      <select name="level" aria-label="Least level">
        <option value="">all levels</option>${options(LEVELS_OFFERED, filter.level)}
      </select>
      <button>Search the whole log</button>
      <output class="none" data-log-count></output>
    </form>`;

/** All begin at the least one. */
const LEVELS_OFFERED = LEVELS.slice(1).map(
  (level) => [level, level === 'error' ? 'errors' : `${level} and worse`] as const,
);

/** The lines before those that are shown: more of them at a click. */
export function earlier({ runId, part, filter }: LogShown): Printable {
  if (part.before === null) return null;
  const asked = { before: part.before, ...filter };
  const [page, more] = [runUrl(runId), runUrl(runId, '/log')];
  return html`<a href="${withQuery(page, asked)}#log" hx-get="${withQuery(more, asked)}"
    hx-target="#log-lines" hx-swap="afterbegin" hx-status:4xx="swap:none"
    hx-status:5xx="swap:none">${searches(filter) ? 'Look farther back' : 'Earlier lines'}</a>`;
}

const searches = ({ text, level }: LogFilter): boolean => text !== '' || level !== '';

function nothing({ part, filter, live }: LogShown): string {
  if (searches(filter)) {
    return part.before === null ? 'No line matches.' : 'No line matches so far back.';
  }
  return live ? 'No lines yet. They show here as the handler writes them.' : 'It logged nothing.';
}

/** Asks for what comes behind a place. Its answer brings the next one, or none. */
export const logPoller = (runId: string, after: string, seconds: number | null): Html =>
  seconds === null
    ? html`<div id="log-poll"></div>`
    : html`<div id="log-poll" hx-get="${runUrl(runId)}/log?after=${after}" hx-trigger="poll"
      hx-target="#log-lines" hx-swap="beforeend" data-poll="${seconds}" hx-status:4xx="swap:none"
      hx-status:5xx="swap:none"></div>`;

export const logRows = ({ entries }: LogPart, since: Instant): Html =>
  html`${entries.map((entry) => entryRow(entry, since))}`;

function entryRow(entry: LogEntry, since: Instant): Html {
  switch (entry.kind) {
    case 'line':
      return lineRow(entry.line, since);
    case 'dropped':
      return html`<li class="gap">${count(entry.count, 'line')} left out here</li>`;
    case 'behind':
      return html`<li class="gap">${count(entry.count, 'line')} came too fast to be shown here: the
        download has them</li>`;
    case 'attempt':
      return html`<li class="gap">Attempt ${entry.n}</li>`;
  }
}

/** Longer lines are whole in the download only. In bytes of the page. */
const TEXT_SHOWN = 1500;
const FIELDS_SHOWN = 800;

/** Made five hundred times a page, so it has no more markup than it needs. */
export function lineRow({ at, level, text, fields }: LogLine, since: Instant): Html {
  const [said, more] = [fit(text, TEXT_SHOWN), fit(fields ?? '', FIELDS_SHOWN)];
  const cut = !(said.whole && more.whole) && html` <i>cut: whole in the download</i>`;
  const words = html`${said.text}${fields !== null && html` <code>${more.text}</code>`}${cut}`;
  const when = html`<time>${logTime(at, since)}</time>`;
  return html`<li class="${level}">${when}<b>${level}</b><span>${words}</span></li>`;
}
