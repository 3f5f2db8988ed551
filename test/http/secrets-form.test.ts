import { describe, expect, test } from 'vitest';
import { form, words } from './forms.ts';
import { finish, SECRET, serveDeploys, start, tracesIn } from './secrets.ts';

const LOGIN = JSON.stringify({ user: 'ada', password: SECRET });

describe('the form of a run', () => {
  test('asks for a secret behind dots, and never has one in it', async () => {
    const served = await serveDeploys();
    await start(served.ask, { target: 'shop', token: SECRET, pin: 1234 });
    const run = await finish(served);

    const page = await served.ask('GET', `/jobs/deploy?from=${encodeURIComponent(run.id)}`);

    const field = (name: string): string =>
      new RegExp(`<[^>]*name="input\\.${name}"[^>]*>`).exec(page.text)?.[0] ?? '';
    expect(field('token')).toContain('type="password"');
    expect(field('token')).toContain('autocomplete="off"');
    expect(field('token')).toContain(' required');
    expect(field('pin')).toContain('type="password"');
    expect(field('pin')).not.toContain('required');
    expect(field('token') + field('pin')).not.toContain('value=');
    expect(field('target')).toContain('value="shop"');
    expect(words(page)).toContain('Its secrets are not shown: fill them in again.');
  });

  test('offers inputs that differ in their secrets alone as one', async () => {
    const served = await serveDeploys();
    for (const token of [SECRET, `${SECRET} again`]) {
      await start(served.ask, { target: 'shop', token });
      await finish(served);
    }

    const { text } = await served.ask('GET', '/jobs/deploy');

    expect(text.match(/<code>\{&quot;target&quot;:&quot;shop&quot;,[^<]*<\/code>/g)).toEqual([
      '<code>{&quot;target&quot;:&quot;shop&quot;,&quot;token&quot;:&quot;[secret]&quot;}</code>',
    ]);
  });

  test('starts a run with what is filled in', async () => {
    const served = await serveDeploys();
    const fields = {
      as: 'fields',
      'input.target': 'shop',
      'input.token': SECRET,
      'input.pin': '12',
    };

    const answer = await served.ask('POST', '/jobs/deploy/runs', form(fields));
    await finish(served);

    expect(answer.status).toBe(303);
    expect(served.got[0]).toEqual({ target: 'shop', token: SECRET, pin: 12 });
  });

  test.each<[what: string, fields: Record<string, string>, told: string]>([
    [
      'in fields',
      { as: 'fields', 'input.token': 'Quetzal', 'input.pin': SECRET, 'input.login': LOGIN },
      'is not a whole number',
    ],
    [
      'as JSON',
      { as: 'json', json: JSON.stringify({ target: 1, token: SECRET }) },
      'Expected string but received 1',
    ],
    ['as what is no JSON', { as: 'json', json: `{"token": "${SECRET}"}` }, 'is not JSON'],
    ['as no JSON at all', { as: 'json', json: 'Quetzal' }, 'is not JSON'],
  ])('that is not right yet comes back without its secrets: %s', async (_what, fields, told) => {
    const { ask, service } = await serveDeploys();

    const answer = await ask('POST', '/jobs/deploy/runs', form(fields));

    expect(answer.status).toBe(422);
    expect(words(answer)).toContain(told);
    expect(tracesIn(answer.text)).toEqual([]);
    expect(service.logged.flatMap(tracesIn)).toEqual([]);
  });
});
