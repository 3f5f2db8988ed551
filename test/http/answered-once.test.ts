import { describe, expect, test } from 'vitest';
import { byHand } from '../service.ts';
import { serve } from './client.ts';
import { request, Wire } from './wire.ts';

/** A request that is refused while the rest of it still comes. */
describe('a request that has its answer', () => {
  const TEXT = { 'Content-Type': 'text/plain' };
  const chunked = request('POST /api/v1/jobs/job/runs', {
    ...TEXT,
    'Transfer-Encoding': 'chunked',
  });

  test('gets no second one when the rest of it is broken, and the connection ends', async () => {
    const { url } = await serve([byHand({})]);
    const wire = new Wire(url).say(chunked);
    await wire.answers(1);

    const { answers } = await wire.say('2\r\n{}x\r\n0\r\n\r\n').end();

    expect(answers.map(({ status }) => status)).toEqual([415]);
  });

  test('makes way for the next one, of which it is told when it is broken', async () => {
    const { url } = await serve([byHand({})]);
    const wire = new Wire(url).say(chunked);
    await wire.answers(1);

    const broken = request('GET /healthz', { 'X-Broken': '\u0001' });
    const { answers } = await wire.say(`2\r\n{}\r\n0\r\n\r\n${broken}`).end();

    expect(answers.map(({ status }) => status)).toEqual([415, 400]);
  });
});
