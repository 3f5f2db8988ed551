import type { InferOutput } from 'valibot';
import type { JobContext } from '../server/core/job.ts';
import { isNear, type AddressKind } from '../server/observe/addresses.ts';
import { Refused, safeFetch, type SafeAnswer } from '../server/observe/safe-fetch.ts';
import { targetsFromConfig, type checkUrlsInput } from './check-urls.ts';

type Context = JobContext<InferOutput<typeof checkUrlsInput>>;

/** More in a row lead nowhere. */
const REDIRECTS_LIMIT = 5;

/** A batch: many small pieces of work in one run, at most `parallel` at a time. */
export default async function checkAll(context: Context) {
  const { targets, parallel } = context.input;
  const left = [...targets];
  const failed: string[] = [];
  let done = 0;
  const worker = async (): Promise<void> => {
    for (let url = left.shift(); url !== undefined; url = left.shift()) {
      context.signal.throwIfAborted();
      if (!(await isUp(context, url))) failed.push(url);
      context.progress(++done, targets.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, targets.length) }, worker));
  if (failed.length > 0) {
    throw new Error(`${failed.length} of ${targets.length} did not answer: ${failed.join(', ')}`);
  }
  return { checked: targets.length };
}

async function isUp(context: Context, url: string): Promise<boolean> {
  const { log } = context;
  const started = performance.now();
  const took = (): string => `${Math.round(performance.now() - started)} ms`;
  try {
    const { status } = await ask(context, url);
    const ok = status >= 200 && status < 300;
    log[ok ? 'info' : 'error'](`${url} ${status} in ${took()}`);
    return ok;
  } catch (error) {
    const near = error instanceof Refused && error.kind !== undefined && isNear(error.kind);
    const hint = near ? ': of those, only what CHECK_URLS lists is' : '';
    log.error(`${url} did not answer in ${took()}: ${String(error)}${hint}`);
    return false;
  }
}

/** Follows redirects, each looked at like an address that was given. */
async function ask({ input, signal, traceparent }: Context, given: string): Promise<SafeAnswer> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(input.timeoutMs)]);
  let url = new URL(given);
  for (let followed = 0; ; followed++) {
    const may = mayAsk(url);
    const headers = { 'User-Agent': 'Punctual check-urls', traceparent };
    const answer = await safeFetch(url, { method: 'GET', headers, signal: within, may });
    const { status, location } = answer;
    if (status < 300 || status > 399 || location === undefined) return answer;
    if (followed === REDIRECTS_LIMIT) throw new Error(`more than ${REDIRECTS_LIMIT} redirects`);
    url = new URL(location, url);
  }
}

/**
 * An input is what anybody wrote who may start a run: it must not make the server look into its own
 * network. What the configuration lists is its owner's word.
 */
function mayAsk(url: URL): (kind: AddressKind) => boolean {
  const listed = targetsFromConfig().some((one) => URL.parse(one)?.href === url.href);
  return (kind) => kind === 'public' || (listed && isNear(kind));
}
