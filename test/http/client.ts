import type { Express } from 'express';
import { onTestFinished } from 'vitest';
import { createApp, type AppOptions } from '../../server/app.ts';
import type { Job } from '../../server/core/job.ts';
import { FORM_HEADER } from '../../server/http/visit.ts';
import { formTokenOf } from '../../server/http/identity/cookies.ts';
import { makeServer, type ServerLimits } from '../../server/http/server.ts';
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
  options: Parameters<typeof openService>[1] & {
    readonly app?: AppOptions;
    /** What a test does not want to wait for. */
    readonly limits?: Partial<ServerLimits>;
  } = {},
): Promise<{
  readonly service: TestService;
  readonly ask: Ask;
  readonly url: string;
  readonly app: Express;
}> {
  const service = await openService(jobs, options);
  const app = createApp(service.deps, options.app);
  const server = makeServer(app, { log: service.deps.log, ...options.limits });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  const ask: Ask = async (method, path, init = {}) => {
    const answer = await fetch(url + path, {
      method,
      ...init,
      headers: headersOf(method, path, init.headers),
    });
    const text = await answer.text();
    let body: Answer['body'];
    try {
      body = JSON.parse(text);
    } catch {
      body = undefined;
    }
    const answered = { status: answer.status, headers: answer.headers, text, body };
    // Loaded only where it is needed: it brings along a compiler of schemas.
    if (path.startsWith('/api/v1'))
      (await import('./conforms.ts')).assertConforms(method, path, answered);
    return answered;
  };
  return { service, ask, url, app };
}

/** A browser was on a page before it sends a form, and brings along what that page gave it. */
export const FROM_PAGE = {
  Cookie: 'punctual-form=of-a-page',
  [FORM_HEADER]: formTokenOf('of-a-page'),
};

function headersOf(method: string, path: string, given: RequestInit['headers']): Headers {
  const headers = new Headers(given);
  if (method === 'GET' || /^\/(?:api|triggers|_ah)\//.test(path)) return headers;
  for (const [name, value] of Object.entries(FROM_PAGE)) {
    if (!headers.has(name)) headers.set(name, value);
  }
  return headers;
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
