import { toStandardJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { defineJob } from '../server/core/job.ts';

/**
 * What is checked when a run is not told otherwise: this service's own health, or what `CHECK_URLS`
 * lists, with commas. Of addresses in private networks, and of this machine's own, only these are
 * asked, whatever the input of a run says.
 */
export function targetsFromConfig(): string[] {
  const listed = (process.env['CHECK_URLS'] ?? '').split(',').map((url) => url.trim());
  const urls = listed.filter((url) => url !== '');
  return urls.length > 0 ? urls : [`http://127.0.0.1:${process.env['PORT'] ?? '8080'}/healthz`];
}

const url = v.pipe(v.string(), v.url('not a URL'));

export const checkUrlsInput = v.object({
  targets: v.optional(v.pipe(v.array(url), v.minLength(1), v.maxLength(1000)), targetsFromConfig),
  parallel: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(50)), 5),
  timeoutMs: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(60_000)), 10_000),
});

export const checkUrls = defineJob({
  name: 'check-urls',
  description: 'Fetches many addresses in one run, a few at a time; fails if any does not answer.',
  tags: ['sample'],
  schedule: '*/5 * * * *',
  timeout: '2m',
  retry: { attempts: 2, backoff: { from: '20s' } },
  // Describes itself, so that its page has a field for each part.
  input: toStandardJsonSchema(checkUrlsInput),
  run: () => import('./check-urls.run.ts'),
});
