import type { InputField, Scalar } from '../server/core/input-form.ts';
import type { Texts } from '../server/core/input-texts.ts';
import { brief } from './fit.ts';
import { html, type Html, type Printable } from './html.ts';
import { options } from './layout.ts';

/** What is wrong with each field, by the property's name. */
export type FieldProblems = ReadonlyMap<string, readonly string[]>;

/** Longer text wants more than one line. */
const LINE = 60;
const LINES_SHOWN = { least: 2, most: 12 } as const;

/** A field for each property, as it was filled in, with what is wrong with it. */
export const inputFields = (
  fields: readonly InputField[],
  { texts, problems }: { readonly texts: Texts; readonly problems: FieldProblems },
): Html => {
  const first = fields.findIndex(({ name }) => problems.has(name));
  return html`${fields.map((field, i) =>
    fieldFor(field, {
      id: `in-${i}`,
      text: texts.get(field.name) ?? '',
      wrong: problems.get(field.name) ?? [],
      first: i === first,
    }),
  )}`;
};

interface Filled {
  readonly id: string;
  readonly text: string;
  readonly wrong: readonly string[];
  /** Whether it is the first that something is wrong with: there one goes on. */
  readonly first: boolean;
}

function fieldFor(field: InputField, filled: Filled): Html {
  const { id, wrong } = filled;
  const hint = hintOf(field);
  return html`<div class="field${isWide(field, filled) && ' wide'}">
    <label for="${id}">${field.label}${field.required && mustBe(field)}</label>
    ${control(field, filled)}
    ${
      (hint !== '' || field.description !== null) &&
      html`<small id="${id}-hint">${
        field.description !== null && html`${field.description} `
      }${hint}</small>`
    }
    ${wrongWords(id, wrong)}
  </div>`;
}

/** A field of an instant takes seconds only where it has some, or a browser asks for them. */
export const stepOf = (text: string): number => (text.length > '2026-03-01T02:00'.length ? 1 : 60);

export const wrongWords = (id: string, wrong: readonly string[]): Printable =>
  wrong.length > 0 && html`<small class="wrong" id="${id}-wrong">${wrong.join('; ')}</small>`;

/** Attributes that tie a control to its words, for those who hear it. */
export const tied = (id: string, wrong: readonly string[], hinted: boolean): Printable => {
  const ids = [...(hinted ? [`${id}-hint`] : []), ...(wrong.length > 0 ? [`${id}-wrong`] : [])];
  return [
    ids.length > 0 && html` aria-describedby="${ids.join(' ')}"`,
    wrong.length > 0 && html` aria-invalid="true"`,
  ];
};

const mustBe = ({ kind, nullable }: InputField): Printable =>
  kind !== 'flag' && !nullable && html` <small>(needed)</small>`;

const isWide = (field: InputField, { text }: Filled): boolean =>
  !isHidden(field) && (field.kind === 'json' || field.kind === 'lines' || isLong(field, text));

/** What can be typed without being seen. */
const isHidden = ({ kind, secret }: InputField): boolean =>
  secret === 'whole' && (kind === 'text' || kind === 'number' || kind === 'json');

const isLong = (field: InputField, text: string): boolean =>
  field.kind === 'text' &&
  (text.includes('\n') || text.length > LINE || (field.maxLength ?? 0) > 4 * LINE);

function control(field: InputField, { id, text, wrong, first }: Filled): Html {
  const hinted = hintOf(field) !== '' || field.description !== null;
  const common = html`id="${id}" name="input.${field.name}"${tied(id, wrong, hinted)}${
    first && html` autofocus`
  }`;
  if (isHidden(field)) {
    // Never with what was filled in before.
    return html`<input type="password" ${common}${
      field.required && html` required`
    } autocomplete="off" spellcheck="false">`;
  }
  switch (field.kind) {
    case 'flag':
      return html`<input type="checkbox" value="true" ${common}${
        text === 'true' && html` checked`
      }>`;
    case 'choice':
      return select(field.values, text, common);
    case 'json':
    case 'lines':
      return area(text, common);
    case 'number': {
      const mode = field.whole && (field.min ?? -1) >= 0 ? 'numeric' : 'decimal';
      // A field for numbers would keep quiet about what is none.
      return html`<input ${common} value="${text}" inputmode="${mode}" autocomplete="off">`;
    }
    case 'text':
      if (isLong(field, text)) return area(text, common);
      return html`<input ${common} value="${text}" type="${
        field.format === 'date' ? 'date' : 'text'
      }" autocomplete="off" spellcheck="false">`;
  }
}

/** Parsers leave out a line's end that comes first. */
export function area(text: string, attributes: Html): Html {
  const { least, most } = LINES_SHOWN;
  const rows = Math.max(least, Math.min(most, text.split('\n').length + 1));
  return html`<textarea ${attributes} rows="${rows}" spellcheck="false">
${text}</textarea>`;
}

const select = (values: readonly Scalar[], text: string, attributes: Html): Html => {
  const all = values.map((value) => [JSON.stringify(value), choiceWords(value)] as const);
  return html`<select ${attributes}><option value="">–</option>${options(all, text)}</select>`;
};

function choiceWords(value: Scalar): string {
  if (value === null) return 'none (null)';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value === '' ? '(empty)' : String(value);
}

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': 'An instant such as 2026-03-07T07:30:00Z.',
  time: 'A time of day such as 07:30.',
  uri: 'A URL.',
  email: 'An e-mail address.',
  uuid: 'A UUID.',
};

/** What may be filled in, in a sentence or two. */
function hintOf(field: InputField): string {
  const kind = kindHint(field);
  const left = field.required ? '' : emptyHint(field);
  return [kind, left].filter((words) => words !== '').join(' ');
}

function kindHint(field: InputField): string {
  switch (field.kind) {
    case 'lines':
      return field.of === 'text' ? 'One a line.' : 'Numbers, one a line.';
    case 'json':
      return 'JSON.';
    case 'number':
      return numberHint(field);
    case 'text':
      return FORMATS[field.format ?? ''] ?? '';
    case 'choice':
    case 'flag':
      return '';
  }
}

function numberHint({ whole, min, max }: Extract<InputField, { kind: 'number' }>): string {
  const what = whole ? 'A whole number' : 'A number';
  if (min !== null && max !== null) return `${what}, ${min} to ${max}.`;
  if (min !== null) return `${what}, at least ${min}.`;
  return max === null ? `${what}.` : `${what}, at most ${max}.`;
}

const DEFAULT_SHOWN = 60;

function emptyHint({ preset, kind }: InputField): string {
  if (kind === 'flag') return '';
  if (preset === undefined) return 'May be left empty.';
  const text = typeof preset === 'string' ? preset : (JSON.stringify(preset) ?? '');
  return text === '' ? 'May be left empty.' : `Empty means ${brief(text, DEFAULT_SHOWN)}.`;
}
