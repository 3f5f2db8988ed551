import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';
import { createApp, type AppOptions } from '../../server/app.ts';
import type { Job } from '../../server/core/job.ts';
import { openService, type TestService } from '../service.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  readonly body: Record<string, any> | undefined;
}

export type Ask = (method: string, path: string, init?: RequestInit) => Promise<Answer>;

/** The whole service behind a real port, with a clock that the test moves. */
export async function serve(
  jobs: readonly Job[],
  options: Parameters<typeof openService>[1] & { readonly app?: AppOptions } = {},
): Promise<{ readonly service: TestService; readonly ask: Ask; readonly url: string }> {
  const service = await openService(jobs, options);
  const server = createServer(createApp(service.deps, options.app));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  const ask: Ask = async (method, path, init = {}) => {
    const answer = await fetch(url + path, { method, ...init });
    const text = await answer.text();
    let body: Answer['body'];
    try {
      body = JSON.parse(text);
    } catch {
      body = undefined;
    }
    return { status: answer.status, headers: answer.headers, text, body };
  };
  return { service, ask, url };
}

/** What a page's script adds to what it asks. */
export const HTMX = { 'HX-Request': 'true' };

/** What a page says that it cost: `2 store reads, 51 records`. */
export const cost = ({ text }: Pick<Answer, 'text'>): string =>
  /<p>([\d,]+ store reads?, [\d,]+ records?)/.exec(text)?.[1] ?? '';

export const json = (value: unknown, headers: Record<string, string> = {}): RequestInit => ({
  body: typeof value === 'string' ? value : JSON.stringify(value),
  headers: { 'Content-Type': 'application/json', ...headers },
});
