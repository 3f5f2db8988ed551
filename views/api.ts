import { html, type Html } from './html.ts';

/** The page that tells of the API: what it is asked, and what it answers. */

export interface ApiView {
  readonly groups: readonly {
    readonly name: string;
    readonly endpoints: readonly EndpointView[];
  }[];
  readonly shapes: readonly { readonly name: string; readonly fields: readonly FieldRow[] }[];
  /** Those that any endpoint may answer. */
  readonly shared: readonly ProblemView[];
  readonly problems: readonly ProblemView[];
}

export interface EndpointView {
  readonly method: string;
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly given: readonly { readonly place: string; readonly fields: readonly FieldRow[] }[];
  readonly answers: readonly AnswerView[];
  readonly problems: readonly ProblemView[];
}

export interface AnswerView {
  readonly status: string;
  readonly description: string;
  /** The shape that it has; empty for fields of its own. */
  readonly type: readonly TypePart[];
  readonly fields: readonly FieldRow[];
  readonly headers: readonly (readonly [name: string, says: string])[];
}

export interface FieldRow {
  readonly name: string;
  readonly required: boolean;
  readonly type: readonly TypePart[];
  readonly description: string;
}

/** Words, or a shape that is told of elsewhere on the page. */
export type TypePart = string | { readonly shape: string };

export interface ProblemView {
  readonly title: string;
  /** Its address on this page. */
  readonly type: string;
  readonly status: number;
  readonly means: string;
}

export const apiBody = ({
  groups,
  shapes,
  shared,
  problems,
}: ApiView): Html => html`<section class="api">
    <h1>API</h1>
    <p>For programs: JSON below <code>/api/v1</code>. Programs that read OpenAPI 3.1 find all this
      in <a href="/api/v1/openapi.json">openapi.json</a>.</p>
    ${EXAMPLE}
    <nav class="contents" aria-label="On this page"><ul>${groups.map(
      ({ name, endpoints }) =>
        html`<li>${name}<ul>${endpoints.map(
          ({ id, summary }) => html`<li><a href="#${id}">${summary}</a></li>`,
        )}</ul></li>`,
    )}<li><a href="#shapes">Shapes</a></li><li><a href="#problems">Problems</a></li></ul></nav>
  </section>
  ${groups.map(
    ({ name, endpoints }) => html`<section class="api">
    <h2>${name}</h2>
    ${endpoints.map(endpointPart)}
  </section>`,
  )}
  <section class="api" id="shapes">
    <h2>Shapes</h2>
    <p>What answers are made of. Instants are text such as
      <code>2026-03-07T07:30:00.000Z</code>, in UTC.</p>
    ${shapes.map(
      ({ name, fields }) => html`<details>
      <summary><h3>${name}</h3></summary>
      <div id="shape-${name}">${fieldTable(`Fields of ${name}`, fields, false)}</div>
    </details>`,
    )}
  </section>
  <section class="api" id="problems">
    <h2>Problems</h2>
    <p>Every answer that is none is <code>application/problem+json</code>: a
      <a href="#shape-Problem">Problem</a>, whose <code>type</code> is one of these addresses. Any
      address may answer ${problemLinks(shared)}.</p>
    <dl class="problems">${problems.map(
      ({ title, type, status, means }) => html`<div id="${anchorOf(type)}">
        <dt>${status} ${title} <code>${type}</code></dt><dd>${plain(means)}</dd></div>`,
    )}</dl>
  </section>`;

/** Starting a run, and waiting for it. */
const EXAMPLE = html`<pre tabindex="0" role="region" aria-label="An example">curl -X POST \
$PUNCTUAL_URL/api/v1/jobs/nightly-report/runs \\
  -H "Authorization: Bearer $PUNCTUAL_TOKEN" \\
  -H 'Content-Type: application/json' -H 'Idempotency-Key: deploy-7' -H 'Prefer: wait=60' \\
  -d '{"input": {"day": "2026-03-01"}}'</pre>`;

const endpointPart = (of: EndpointView): Html => html`<details>
    <summary><code class="method">${of.method}</code> <code>${of.path}</code>
      <h3>${of.summary}</h3></summary>
    <p id="${of.id}">${plain(of.description)}</p>
    ${of.given.map(
      ({ place, fields }) => html`<h4>${place}</h4>${fieldTable(place, fields, true)}`,
    )}
    <h4>Answers</h4>
    ${of.answers.map(answerPart)}
    ${of.problems.length > 0 && html`<p>Problems of its own: ${problemLinks(of.problems)}.</p>`}
  </details>`;

const problemLinks = (problems: readonly ProblemView[]): Html[] =>
  problems.map(
    ({ title, type, status }, i) =>
      html`${i > 0 && ', '}<a href="#${anchorOf(type)}">${status} ${title}</a>`,
  );

const answerPart = (of: AnswerView): Html => html`<p><b>${of.status}</b> ${plain(of.description)}
    ${of.type.length > 0 && html`(${typeWords(of.type)})`}</p>
  ${of.fields.length > 0 && fieldTable(`Fields of answer ${of.status}`, of.fields, false)}
  ${
    of.headers.length > 0 &&
    html`<dl class="headers">${of.headers.map(
      ([name, says]) => html`<div><dt><code>${name}</code></dt><dd>${plain(says)}</dd></div>`,
    )}</dl>`
  }`;

const HEADINGS = ['Name', 'Type', 'Says'].map((one) => html`<th scope="col">${one}</th>`);

/** A field to a row: its name, what it may be, and what it says. */
const fieldTable = (label: string, fields: readonly FieldRow[], sent: boolean): Html => html`<table
  class="api-fields" aria-label="${label}">
  <thead><tr>${HEADINGS}</tr></thead>
  <tbody>${fields.map(
    ({ name, type, description, required }) => html`<tr>
      <th scope="row"><code>${name}</code>${
        sent
          ? required && html` <small>needed</small>`
          : !required && html` <small>may lack</small>`
      }</th><td>${typeWords(type)}</td><td>${plain(description)}</td></tr>`,
  )}</tbody></table>`;

const typeWords = (type: readonly TypePart[]): Html[] =>
  type.map((part) =>
    typeof part === 'string'
      ? html`${part}`
      : html`<a href="#shape-${part.shape}">${part.shape}</a>`,
  );

/** Where it is on this page. */
const anchorOf = (type: string): string => type.split('#').at(-1) ?? '';

/** What stands between backticks is code. */
const plain = (text: string): Html[] =>
  text.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
