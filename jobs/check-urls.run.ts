import type { InferOutput } from 'valibot';
import type { JobContext } from '../server/core/job.ts';
import type { checkUrlsInput } from './check-urls.ts';

type Context = JobContext<InferOutput<typeof checkUrlsInput>>;

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

async function isUp({ fetch, input, log }: Context, url: string): Promise<boolean> {
  const started = performance.now();
  const took = (): string => `${Math.round(performance.now() - started)} ms`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(input.timeoutMs) });
    await answer.body?.cancel();
    log[answer.ok ? 'info' : 'error'](`${url} ${answer.status} in ${took()}`);
    return answer.ok;
  } catch (error) {
    const why = error instanceof Error ? (error.cause ?? error) : error;
    log.error(`${url} did not answer in ${took()}: ${String(why)}`);
    return false;
  }
}
