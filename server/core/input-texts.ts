import type { InputProblem } from './input.ts';
import type { InputField, InputForm } from './input-form.ts';
import { UNSEEN, visibleJson } from './unseen.ts';

/*
 * An input as the texts of a form, and back. A field that is left empty is left out, so that the
 * schema's own default holds; where null may be given and something must be, it is null.
 */

/** What stands in each field, by the property's name. */
export type Texts = ReadonlyMap<string, string>;

export type ReadInput =
  { readonly input: unknown } | { readonly problems: readonly InputProblem[] };

/** An input that people write as JSON, laid out for them; empty where there is none. */
export const jsonTextOf = (input: unknown): string =>
  visibleJson(input === undefined ? '' : (JSON.stringify(input, null, 2) ?? ''));

/**
 * The texts of a form that give this input, and the presets where it says nothing; undefined where
 * fields can't say what it says.
 */
export function textsOf({ fields }: InputForm, input: unknown): Texts | undefined {
  if (fields === null) return undefined;
  const given = input ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) return undefined;
  const values = new Map<string, unknown>(Object.entries(given));
  const texts = new Map<string, string>();
  for (const field of fields) {
    const isGiven = values.has(field.name);
    const value = isGiven ? values.get(field.name) : field.preset;
    const text = textOf(field, value);
    const same = gives(field, text, value);
    if (isGiven && !same) return undefined;
    values.delete(field.name);
    // A preset that no text gives holds where the field is left empty.
    texts.set(field.name, same || field.kind === 'flag' ? text : '');
  }
  return values.size === 0 ? texts : undefined;
}

/** Whether a text in a field comes back as the value that it was made of. */
function gives(field: InputField, text: string, value: unknown): boolean {
  if (text.search(UNSEEN) !== -1) return false;
  const read = readField(field, text);
  return 'value' in read && JSON.stringify(read.value) === JSON.stringify(value);
}

function textOf(field: InputField, value: unknown): string {
  if (value === undefined) return field.kind === 'flag' ? 'false' : '';
  if (field.kind === 'choice' || field.kind === 'flag') return JSON.stringify(value);
  if (value === null) return '';
  if (field.kind === 'text' && typeof value === 'string') return value;
  if (field.kind === 'lines' && Array.isArray(value) && fitsLines(field, value)) {
    return value.map(String).join('\n');
  }
  return jsonTextOf(value);
}

/** Whether a line each gives the items back; an empty list would be taken for none. */
function fitsLines({ required }: InputField, items: readonly unknown[]): boolean {
  if (items.length === 0) return required;
  return items.every((item) =>
    typeof item === 'string'
      ? item.trim() === item && item !== '' && !item.includes('\n') && !item.startsWith('[')
      : typeof item === 'number',
  );
}

/** The input that a filled form gives; or everything that is no value, each under its field. */
export function readTexts(fields: readonly InputField[], texts: Texts): ReadInput {
  const problems: InputProblem[] = [];
  const entries: [string, unknown][] = [];
  for (const field of fields) {
    // Browsers send a line's end as two characters.
    const text = (texts.get(field.name) ?? '').replaceAll('\r\n', '\n');
    const read = readField(field, text);
    if ('problem' in read) problems.push({ path: pointer(field.name), message: told(field, read) });
    else if (read.value !== undefined) entries.push([field.name, read.value]);
  }
  return problems.length > 0 ? { problems } : { input: Object.fromEntries(entries) };
}

/** What is wrong with a field: of a secret, without a word of it. */
function told(field: InputField, { problem }: { readonly problem: string }): string {
  if (field.secret === undefined) return problem;
  if (field.kind === 'number') return `is not a ${field.whole ? 'whole ' : ''}number`;
  return field.kind === 'json' ? 'is not JSON' : 'is not what is asked for';
}

/**
 * The input that one JSON text gives; empty text is none. `quietly` where some of it may be secret:
 * what is wrong is told without a word of it.
 */
export function readJsonText(
  text: string,
  { quietly }: { readonly quietly: boolean } = { quietly: false },
): ReadInput {
  if (text.trim() === '') return { input: undefined };
  const read = parsed(text);
  if ('value' in read) return { input: read.value };
  return { problems: [{ path: '/input', message: quietly ? 'is not JSON' : read.problem }] };
}

/** The texts of a form as they may be shown again: those of secrets are empty. */
export const textsToShow = ({ fields }: InputForm, texts: Texts): Texts =>
  new Map([
    ...texts,
    ...(fields ?? []).flatMap(({ name, secret }) =>
      secret === undefined ? [] : [[name, ''] as const],
    ),
  ]);

/** Where a problem with a property is told, as the schema's own problems have it. */
const pointer = (name: string): string =>
  `/input/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;

type Read = { readonly value: unknown } | { readonly problem: string };

function readField(field: InputField, text: string): Read {
  if (field.kind === 'flag') return { value: text === 'true' };
  if (text.trim() === '') return { value: emptyOf(field) };
  switch (field.kind) {
    case 'text':
      return { value: text };
    case 'number':
      return numberOf(text.trim(), field.whole);
    case 'choice':
      return choiceOf(text, field.values);
    case 'lines':
      return linesOf(text, field.of);
    case 'json':
      return parsed(text);
  }
}

function emptyOf(field: InputField): unknown {
  if (!field.required) return undefined;
  if (field.nullable) return null;
  if (field.kind === 'text') return '';
  return field.kind === 'lines' ? [] : undefined;
}

function numberOf(text: string, whole: boolean): Read {
  const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!Number.isFinite(value)) return { problem: `"${brief(text)}" is not a number` };
  if (whole && !Number.isSafeInteger(value)) {
    return { problem: `"${brief(text)}" is not a whole number` };
  }
  return { value };
}

function choiceOf(text: string, values: readonly unknown[]): Read {
  const value = values.find((one) => JSON.stringify(one) === text);
  return value === undefined ? { problem: 'is not one of the choices' } : { value };
}

function linesOf(text: string, of: 'text' | 'number'): Read {
  // A list that lines can't hold is written as JSON.
  const whole = text.trimStart().startsWith('[') ? parsed(text) : undefined;
  if (whole !== undefined && 'value' in whole) return whole;
  const lines = text.split('\n').map((line) => line.trim());
  const items = lines.filter((line) => line !== '');
  if (of === 'text') return { value: items };
  const numbers = items.map((line) => numberOf(line, false));
  const wrong = numbers.find((one) => 'problem' in one);
  if (wrong !== undefined) return wrong;
  return { value: numbers.flatMap((one) => ('value' in one ? [one.value] : [])) };
}

function parsed(text: string): Read {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { problem: `is not JSON: ${brief(why, 200)}` };
  }
}

const brief = (text: string, limit = 40): string =>
  text.length <= limit ? text : `${text.slice(0, limit)}…`;
