import { describe, expect, test } from 'vitest';
import type { FieldKind, InputField } from '../../server/core/input-form.ts';
import { inputFields } from '../../views/input-fields.ts';
import { pausePanel, runPanel } from '../../views/job-forms.ts';
import { NOW, runForm } from './job-builders.ts';
import { textOf } from './builders.ts';

const field = (kind: FieldKind, given: Partial<InputField> = {}): InputField =>
  ({
    name: 'it',
    label: 'It',
    description: null,
    required: false,
    nullable: false,
    preset: undefined,
    ...kind,
    ...given,
  }) as InputField;

const drawn = (one: InputField, text = '', wrong: readonly string[] = []) =>
  inputFields([one], {
    texts: new Map([[one.name, text]]),
    problems: new Map(wrong.length > 0 ? [[one.name, wrong]] : []),
  });

const plain: FieldKind = { kind: 'text', format: null, maxLength: null };

describe('a secret', () => {
  test.each<FieldKind>([
    plain,
    { ...plain, maxLength: 5000 },
    { kind: 'number', whole: true, min: null, max: null },
    { kind: 'json' },
  ])('of %j is typed behind dots, and nothing is filled in', (kind) => {
    const { markup } = drawn(field(kind, { secret: 'whole' }), 'hunter2');

    expect(markup).toMatch(
      /<input type="password" id="in-0" name="input\.it"[^>]* autocomplete="off"/,
    );
    expect(markup).not.toContain('hunter2');
    expect(markup).not.toContain('required');
  });

  test('that is needed can not be left empty', () => {
    expect(drawn(field(plain, { secret: 'whole', required: true })).markup).toMatch(
      /<input type="password" [^>]* required/,
    );
  });

  test('among others is written with them', () => {
    expect(drawn(field({ kind: 'json' }, { secret: 'part' })).markup).toContain('<textarea');
  });
});

describe('a field', () => {
  test.each([
    [plain, 'a', /<input id="in-0" name="input\.it"[^>]* value="a" type="text"/],
    [{ ...plain, format: 'date' }, '2026-03-01', /value="2026-03-01" type="date"/],
    [plain, 'a\nb', /<textarea id="in-0"[^>]* rows="3"[^>]*>\na\nb<\/textarea>/],
    [{ kind: 'lines', of: 'text' }, '\na', /<textarea [^>]*>\n\na<\/textarea>/],
    [{ kind: 'json' }, '{"a": 1}', /<textarea [^>]*>\n\{&quot;a&quot;: 1\}<\/textarea>/],
    [{ kind: 'flag' }, 'true', /<input type="checkbox" value="true" [^>]* checked>/],
    [
      { kind: 'number', whole: true, min: 0, max: null },
      'x7',
      /<input [^>]* value="x7" inputmode="numeric"/,
    ],
    [
      { kind: 'choice', values: ['a', true, null] },
      'true',
      /<option value="&quot;a&quot;">a<\/option><option value="true" selected>yes<\/option><option value="null">none \(null\)/,
    ],
  ] as const)('of %j holds %j', (kind, text, control) => {
    const { markup } = drawn(field(kind), text);

    expect(markup).toMatch(control);
    expect(markup).toContain('<label for="in-0">It');
  });

  test.each([
    [field(plain), 'May be left empty.'],
    [field(plain, { preset: 'x' }), 'Empty means x.'],
    [field(plain, { required: true }), 'It (needed)'],
    [field(plain, { required: true, nullable: true }), 'It'],
    [
      field({ kind: 'lines', of: 'number' }, { preset: [1, 2] }),
      'Numbers, one a line. Empty means [1,2].',
    ],
    [field({ kind: 'number', whole: true, min: 1, max: 9 }), 'A whole number, 1 to 9.'],
    [field({ kind: 'number', whole: false, min: null, max: 2.5 }), 'A number, at most 2.5.'],
    [field({ ...plain, format: 'date-time' }), 'An instant such as 2026-03-07T07:30:00Z.'],
    [
      field({ kind: 'json' }, { description: 'Anything.', required: true }),
      'It (needed) Anything. JSON.',
    ],
  ])('says what may be filled in', (one, words) => {
    expect(textOf(drawn(one))).toContain(words);
  });

  test('is tied to what is wrong with it, and the first such is where one goes on', () => {
    const fields = ['a', 'b', 'c'].map((name) => field(plain, { name }));
    const problems = new Map(['b', 'c'].map((name) => [name, ['is bad', 'is odd']]));

    const { markup } = inputFields(fields, { texts: new Map(), problems });

    expect(markup).toContain('aria-describedby="in-1-hint in-1-wrong" aria-invalid="true"');
    expect(markup).toContain('<small class="wrong" id="in-1-wrong">is bad; is odd</small>');
    expect(markup.match(/ autofocus/g)).toHaveLength(1);
    expect(markup).toMatch(/id="in-1"[^>]* autofocus/);
  });
});

describe('the form of a run', () => {
  test('offers earlier inputs, and the other way to give one', () => {
    const input = `{"shops":"${'x'.repeat(100)}"}`;
    const earlier = [{ id: 'x!1', state: 'succeeded', at: NOW - 60_000, input } as const];
    const form = { fields: [field(plain)], schema: '{}' };

    const { markup } = runPanel('x', runForm({ form, declared: true, earlier }), NOW);

    expect(markup).toContain('href="/jobs/x?from=x!1"');
    expect(textOf({ markup })).toMatch(/\{"shops":"x+… succeeded 1 minute ago/);
    expect(markup).toContain('<a href="/jobs/x?as=json">Write it as JSON</a>');
  });

  test('as JSON shows what its schema is, and what is wrong with which part', () => {
    const form = { fields: [field(plain)], schema: '{"type": "object"}' };
    const problems = new Map([['it', ['is bad']]]);
    const from = { id: 'x!1', found: true };

    const panel = runPanel('x', runForm({ form, as: 'json', json: '{', problems, from }), NOW);

    expect(panel.markup).toContain('href="/jobs/x?as=fields&amp;from=x%211"');
    expect(textOf(panel)).toContain('it: is bad');
    expect(textOf(panel)).toContain('Its schema {"type": "object"}');
  });
});

describe('the form of a pause', () => {
  const blank = { note: '', lasts: '', until: '', problems: new Map(), open: false };

  test('is another one once the job is paused', () => {
    const paused = { at: NOW, by: null, note: 'why', until: null };

    expect(pausePanel('x', null, blank).markup).toContain('<details id="pause"');
    expect(pausePanel('x', paused, blank).markup).toContain('<details id="change-pause"');
  });

  test('keeps what was chosen', () => {
    const chosen = { ...blank, note: 'why', lasts: 'until', until: '2026-03-01T06:30' };

    const { markup } = pausePanel('x', null, chosen);

    expect(markup).toMatch(/value="until" checked/);
    expect(markup).toContain('value="2026-03-01T06:30"');
    expect(markup).toContain('value="why"');
  });
});
