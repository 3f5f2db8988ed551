import { expect, describe, test } from 'vitest';
import { defineJob, type JobContext } from '../../server/core/job.ts';
import { isJobName } from '../../server/core/ids.ts';
import { makeLog } from '../../server/observe/log.ts';
import { CORPUS } from '../browser/corpus.ts';
import { liveClock as clock } from '../live-clock.ts';
import { byHand } from '../service.ts';
import { json, serve, type Ask } from './client.ts';
import { pathOf } from './runs.ts';

/** Whatever text a run has to do with comes back as it was, and harms nobody who reads it. */

/**
 * Says a text of the corpus in every way that a handler has: halves of characters too, which no
 * request may bring.
 */
const parrot = byHand({
  name: 'parrot',
  overlap: 'queue',
  run: ({ input, log }: JobContext) => {
    const { n, fails } = Object(input);
    const text = CORPUS[n] ?? '';
    log.warn(text, { [text]: text });
    if (fails) throw Object.assign(new Error(text), { name: text });
    return { [text]: [text] };
  },
});

/** What a terminal, a viewer of logs or a reader of lines would obey, or not let anybody see. */
const OBEYED = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]--[\t\n\u200c-\u200d]]/v;

/** The same where not even a line may end. */
const OBEYED_OR_LINE = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]--[\u200c-\u200d]]/v;

async function say(ask: Ask, n: number, fails: boolean) {
  const input = { n, fails, text: CORPUS[n]?.toWellFormed() };
  const headers = { Prefer: 'wait=5' };
  const { status, body } = await ask('POST', '/api/v1/jobs/parrot/runs', json({ input }, headers));
  if (status !== 200) throw new Error(`${JSON.stringify(input)}: ${JSON.stringify(body)}`);
  return { id: String(body?.['id']), body, input };
}

describe('a run given any text', () => {
  test('has it back in its input, its output, its error and its log, as it was', async () => {
    const { ask } = await serve([parrot], { clock });

    for (const [n, text] of CORPUS.entries()) {
      const fails = n % 2 === 0;
      const { id, body, input } = await say(ask, n, fails);
      const log = await ask('GET', `/api/v1/runs/${encodeURIComponent(id)}/log?format=json`);

      expect(body?.['input']).toEqual(input);
      // As entries: what is called as a part of all objects is, is easily lost.
      const said = fails ? body?.['error'].message : Object.entries(body?.['output']);
      expect(said).toEqual(fails ? text : [[text, [text]]]);
      const [line] = log.body?.['lines'] ?? [];
      expect(line).toMatchObject({ text });
      expect(Object.entries(JSON.parse(line.fields))).toEqual([[text, text]]);
    }
  });

  test('can be saved: each event is one line, which says it and gives no orders', async () => {
    const { ask } = await serve([parrot], { clock });

    for (const [n, text] of CORPUS.entries()) {
      const { id, input: given } = await say(ask, n, false);
      const [asText, asLines, output, input] = await Promise.all(
        ['/log.txt', '/log.ndjson', '/output.json', '/input.json'].map((file) =>
          ask('GET', pathOf({ id }, file)),
        ),
      );

      expect(asText?.text).toMatch(/^\S+Z warn {2}[^\n]*\n$/);
      expect(asText?.text).not.toMatch(OBEYED);
      expect(asLines?.text.split(/[\n\u2028\u2029\u0085]/)).toHaveLength(2);
      expect(asLines?.body).toMatchObject({ level: 'warn', text });
      expect(Object.entries(output?.body ?? {})).toEqual([[text, [text]]]);
      expect(input?.body).toEqual(given);
      for (const file of [asText, asLines, output, input]) {
        expect(file?.text).not.toMatch(OBEYED);
        expect(file?.headers.get('content-disposition')).toMatch(
          /^attachment; filename="parrot-[a-z0-9]+\.(?:log\.txt|log\.ndjson|output\.json|input\.json)"$/,
        );
        expect(file?.headers.get('x-content-type-options')).toBe('nosniff');
        expect(file?.headers.get('content-type')).toMatch(/^(?:text\/plain|application\/)/);
      }
    }
  });

  test('keeps a note as it was', async () => {
    const { ask } = await serve([parrot], { clock });

    for (const text of CORPUS.filter((one) => one.length <= 500 && one.isWellFormed())) {
      await ask('PUT', '/api/v1/jobs/parrot/pause', json({ note: text }));
      const { body } = await ask('GET', '/api/v1/jobs/parrot');

      expect(body?.['paused'].note).toBe(text);
    }
  });
});

describe('a line of the service’s own log', () => {
  const written = (person: boolean, text: string): string[] => {
    const lines: string[] = [];
    const log = makeLog('debug', { person, write: (line) => lines.push(line) });
    log('error', 'request_failed', { path: text, error: { text: [text] } });
    return lines;
  };

  test('is one line of JSON for a program, whatever is in it', () => {
    for (const text of CORPUS) {
      const [line = '', ...more] = written(false, text);

      expect(more).toEqual([]);
      expect(line).toMatch(/^[^\n]*\n$/);
      expect(line).not.toMatch(OBEYED);
      expect(JSON.parse(line)).toMatchObject({ path: text, error: { text: [text] } });
    }
  });

  test('is one line for a person, whatever is in it, and gives no orders but its colour', () => {
    for (const text of CORPUS) {
      const [line = '', ...more] = written(true, text);

      expect(more).toEqual([]);
      expect(line.startsWith('\u001b[31m') && line.endsWith('\u001b[0m\n')).toBe(true);
      expect(line.slice('\u001b[31m'.length, -'\u001b[0m\n'.length)).not.toMatch(OBEYED_OR_LINE);
    }
  });
});

describe('a job', () => {
  const named = (name: string) => defineJob({ name, run: () => undefined });

  test('is not called anything, and has no tag, that is no short word', () => {
    for (const text of CORPUS) {
      const tagged = defineJob({ name: 'job', tags: [text], run: () => undefined });

      expect([text, named(text).problems.length > 0]).toEqual([text, !isJobName(text)]);
      for (const tag of tagged.tags) expect(tag).toMatch(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/);
    }
  });

  test('may be called as parts of a page or of all objects are', async () => {
    const names = ['constructor', 'prototype', 'page', 'body', 'message', 'poll', 'null', 'true'];
    const { ask } = await serve(
      names.map((name) => byHand({ name, run: () => name })),
      { clock },
    );

    for (const name of names) {
      const headers = { Prefer: 'wait=5' };
      const { body } = await ask('POST', `/api/v1/jobs/${name}/runs`, { headers });
      const pages = ['/', `/jobs/${name}`, `/runs?q=job:${name}`, '/timeline', `/?tag=${name}`];
      const statuses = await Promise.all(
        pages.map(async (path) => (await ask('GET', path)).status),
      );

      expect(body).toMatchObject({ job: name, output: name });
      expect(statuses).toEqual([200, 200, 200, 200, 200]);
    }
  });
});
