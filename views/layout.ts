import type { Instant } from '../server/core/time.ts';
import { keysHelp } from './keys.ts';
import { html, type Html, type Printable } from './html.ts';
import { count, exactTime } from './time.ts';

/** Where the page finds what it loads; the addresses change with the contents. */
export interface AssetPaths {
  readonly css: string;
  readonly js: string;
  readonly icon: string;
}

/** The parts of the dashboard, in the order of its navigation. */
const SECTIONS = {
  jobs: ['/', 'Jobs'],
  runs: ['/runs', 'Runs'],
  timeline: ['/timeline', 'Timeline'],
  actions: ['/actions', 'Actions'],
  schedule: ['/schedule', 'Schedule'],
  system: ['/system', 'System'],
} as const;

export type Section = keyof typeof SECTIONS;

/** What was asked of the store for a page, and how long it took to make. */
export interface PageCost {
  readonly reads: number;
  readonly records: number;
  readonly ms: number;
}

/** How a page asks for itself again, at its own address. */
export interface Polling {
  readonly url: string;
  readonly seconds: number;
}

export interface Page {
  readonly title: string;
  /** Null for what belongs to no part, such as an error. */
  readonly section: Section | null;
  readonly assets: AssetPaths;
  readonly body: Html;
  /** The store's time; null where nothing of the store is shown. */
  readonly now: Instant | null;
  readonly cost: PageCost | null;
  /** Null for a page that does not change by itself. */
  readonly polling: Polling | null;
  /** Who looks; null where that needs no words. */
  readonly visitor: Visitor | null;
  /** Leaves out the way to other pages, for who can't see them yet. */
  readonly bare?: boolean;
}

/** Who looks at a page. */
export interface Visitor {
  readonly name: string;
  readonly role: 'viewer' | 'operator';
  /** Whether it is for this service to forget who it is. */
  readonly signedIn: boolean;
}

/** The shell of every page. What a click has to say goes to `#message`, which no poll clears. */
export const page = (of: Page): Html => html`<!doctype html>
<html lang="en"${of.now !== null && html` data-now="${of.now}"`}>
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    ${titleOf(of)}
    <link rel="icon" href="${of.assets.icon}" type="image/svg+xml">
    <link rel="stylesheet" href="${of.assets.css}">
    <script src="${of.assets.js}" defer></script>
  </head>
  <body${of.visitor?.role === 'viewer' && html` class="viewer"`}>
    <a class="skip" href="#page">Skip to the content</a>
    <header class="top">
      <a class="brand" href="/">Punctual</a>
      ${of.bare !== true && navigation(of.section)}
      <span class="visitor">${of.visitor !== null && visitorOf(of.visitor)}</span>
      ${
        of.bare !== true &&
        html`<button type="button" class="help" data-keys hidden
        aria-label="Keys">?</button>`
      }
    </header>
    <div id="message" class="message" role="status"></div>
    <div id="poll">${of.polling !== null && poller(of.polling)}</div>
    <main id="page" tabindex="-1">${of.body}</main>
    <footer id="footer" class="foot">${footer(of)}</footer>
    ${keysHelp}
  </body>
</html>
`;

const navigation = (section: Section | null): Html =>
  html`<nav aria-label="Pages">${Object.entries(SECTIONS).map(
    ([name, [path, label]]) =>
      html`<a href="${path}"${name === section && html` aria-current="page"`}>${label}</a>`,
  )}</nav>`;

const visitorOf = ({ name, role, signedIn }: Visitor): Html => html`<span
  title="${name} may ${role === 'viewer' ? 'look, and change nothing' : 'start and change things'}"
  >${name}${role === 'viewer' && ' (viewer)'}</span>${
    signedIn && html`<form method="post" action="/logout"><button>Sign out</button></form>`
  }`;

/**
 * What a part of the page gets that asks: its body, and what stands around it. What polls goes on
 * by itself until the page has come to rest; after a filter it has another address to ask.
 */
export const pagePart = (of: Page, byPoll: boolean): Html => html`${titleOf(of)}${of.body}
  ${partial('#footer', 'innerMorph', footer(of))}
  ${
    !(byPoll && of.polling !== null) &&
    partial('#poll', 'innerMorph', of.polling !== null && poller(of.polling))
  }`;

/** Of a part, too: what the page is about may have come to an end. */
const titleOf = ({ title }: Page): Html => html`<title>${title} · Punctual</title>`;

/** What the page cost, and how old it is. */
function footer({ cost, now, polling }: Page): Printable {
  if (cost === null || now === null) return null;
  const { reads, records, ms } = cost;
  return html`<p>${count(reads, 'store read')}, ${count(records, 'record')}, ${Math.round(ms)} ms
    · as of ${exactTime(now - (now % 1000))}${
      polling !== null && html` · looks again every ${polling.seconds} s while in sight`
    } · <a href="/api/v1/docs">API</a></p>`;
}

/** Replaces another element of the page than the one that asked. */
export const partial = (
  target: string,
  swap: 'innerMorph' | 'outerMorph' | 'outerHTML',
  body: Html | Printable,
) => html`<hx-partial hx-target="${target}" hx-swap="${swap}">${body}</hx-partial>`;

/**
 * Asks for the page again, in step with its script, which leaves out the times when nobody looks.
 * Its tag goes along, so that a page that did not change is not sent. Its answer gives way to that
 * of a filter (`hx-sync="#page:replace"`). While the server is in trouble the old content stays,
 * and this says so until the next answer.
 */
const poller = ({ url, seconds }: Polling): Html => html`<div id="poller" class="trouble"
  hx-get="${url}" hx-trigger="poll" hx-target="#page" hx-swap="innerMorph" hx-ptag="none"
  data-poll="${seconds}" hx-sync="#page:abort" hx-status:4xx="swap:none"
  hx-status:5xx="target:#poller swap:innerHTML"></div>`;

/** Attributes of a form that changes something: with a message, or without scripts a new page. */
export const posting = (url: string): Html => html`method="post" action="${url}" hx-post="${url}"
  hx-target="#message" hx-swap="innerHTML" hx-disable="find button"`;

/** Attributes of what shows the page otherwise asked, in its place, and in its address. */
export const inPlace = (url: string): Html => html`hx-get="${url}" hx-target="#page"
  hx-swap="innerMorph" hx-push-url="true" hx-sync="#page:replace"`;

/** Attributes of a form that narrows a page down as one types. */
export const filtering = (path: string): Html => html`class="filter" role="search" method="get"
  ${inPlace(path)} hx-trigger="input delay:250ms, submit"`;

/** What a list offers, with the chosen one; each is a value and its words. */
export const options = (
  all: readonly (readonly [value: string, words: string])[],
  chosen: string,
): Html[] =>
  all.map(
    ([value, words]) =>
      html`<option value="${value}"${value === chosen && html` selected`}>${words}</option>`,
  );

export type Fact = readonly [label: string, value: Printable];

/** What stands in a list of facts (`<dl>`); what has no value is left out. */
export const factRows = (facts: readonly Fact[]): Html[] =>
  facts
    .filter(([, value]) => value !== null && value !== false)
    .map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`);

/** A button that changes something; without scripts it is a plain form. */
export const action = (of: {
  readonly url: string;
  readonly label: string;
  /** For those who hear the button without its row. */
  readonly about: string;
  readonly confirm?: string;
}): Html => html`<form ${posting(of.url)}
  ${of.confirm !== undefined && html`hx-confirm="${of.confirm}"`}>
  <button aria-label="${of.label}: ${of.about}">${of.label}</button>
</form>`;

/** What became of a click. */
export const message = (tone: 'good' | 'bad', ...content: readonly Printable[]): Html =>
  html`<p class="${tone}">${content}</p>`;

/** Stands above what a page shows for as long as it is so. */
export const unwritable: Html = html`<p class="banner bad" role="status">The store can’t be written
  at present: nothing new starts, and what ends waits to be put on record.
  <a href="/system">See why</a></p>`;

/** A page for what can't be shown, with what to do next. */
export const problemPage = (problem: {
  readonly title: string;
  readonly detail: string;
  readonly assets: AssetPaths;
}): Html =>
  page({
    title: problem.title,
    section: null,
    assets: problem.assets,
    now: null,
    cost: null,
    polling: null,
    visitor: null,
    body: html`<section class="problem">
      <h1>${problem.title}</h1>
      <p>${problem.detail}</p>
      <p><a href="/">Back to all jobs</a></p>
    </section>`,
  });
