import { html, type Html, type Printable } from './html.ts';

/** Where the page finds what it loads; the addresses change with the contents. */
export interface AssetPaths {
  readonly css: string;
  readonly htmx: string;
}

export interface Page {
  readonly title: string;
  readonly assets: AssetPaths;
  readonly body: Html;
}

/** The shell of every page. What a click has to say goes to `#message`, which no poll clears. */
export const page = ({ title, assets, body }: Page): Html => html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · Punctual</title>
    <link rel="stylesheet" href="${assets.css}">
    <script src="${assets.htmx}" defer></script>
  </head>
  <body>
    <header class="top">
      <a class="brand" href="/">Punctual</a>
      <nav><a href="/">Jobs</a><a href="/#runs">Runs</a><a href="/schedule">Schedule</a>
        <a href="/system">System</a></nav>
    </header>
    <div id="message" class="message" role="status"></div>
    <main>${body}</main>
  </body>
</html>
`;

/** Replaces another element of the page than the one that asked. */
export const partial = (target: string, swap: 'innerMorph' | 'outerMorph', body: Html): Html =>
  html`<hx-partial hx-target="${target}" hx-swap="${swap}">${body}</hx-partial>`;

/**
 * Sits in the part of the page that it asks for again. A part that comes back without one is final.
 * While the server is in trouble the old content stays, and this says so until the next answer.
 */
export const poller = (options: {
  readonly url: string;
  readonly target: string;
  readonly seconds: number;
}): Html => html`<div id="poller" class="trouble" hx-get="${options.url}"
  hx-trigger="every ${options.seconds}s" hx-target="${options.target}" hx-swap="innerMorph"
  hx-status:4xx="swap:none" hx-status:5xx="target:#poller swap:innerHTML"></div>`;

/** A button that changes something; without scripts it is a plain form. */
export const action = (options: {
  readonly url: string;
  readonly label: string;
  /** For those who hear the button without its row. */
  readonly about: string;
  readonly confirm?: string;
}): Html => html`<form method="post" action="${options.url}" hx-post="${options.url}"
  hx-target="#message" hx-swap="innerHTML" hx-disable="find button"
  ${options.confirm !== undefined && html`hx-confirm="${options.confirm}"`}>
  <button aria-label="${options.label}: ${options.about}">${options.label}</button>
</form>`;

/** What became of a click. */
export const message = (tone: 'good' | 'bad', ...content: readonly Printable[]): Html =>
  html`<p class="${tone}">${content}</p>`;

/** A page for what can't be shown, with what to do next. */
export const problemPage = (problem: {
  readonly title: string;
  readonly detail: string;
  readonly assets: AssetPaths;
}): Html =>
  page({
    title: problem.title,
    assets: problem.assets,
    body: html`<section class="problem">
      <h1>${problem.title}</h1>
      <p>${problem.detail}</p>
      <p><a href="/">Back to all jobs</a></p>
    </section>`,
  });
