import { createHash } from 'node:crypto';
import type { Response } from 'express';
import * as v from 'valibot';
import { apiBody } from '../../../views/api.ts';
import { page } from '../../../views/layout.ts';
import { assetPaths } from '../pages/assets.ts';
import { sendHtml } from '../pages/send-html.ts';
import { visitorOf } from '../pages/show.ts';
import { docsOf } from './docs.ts';
import { endpoint, reply, type Endpoint } from './endpoint.ts';
import { makeDocument } from './openapi.ts';

/** What the API says of itself. `all` gives every endpoint, these too. */
export function aboutEndpoints(all: () => readonly Endpoint[]): readonly Endpoint[] {
  let made: { readonly text: string; readonly tag: string } | undefined;
  const document = () => {
    made ??= withTag(JSON.stringify(makeDocument(all())));
    return made;
  };

  const showIndex = endpoint({
    ...about,
    path: '/',
    id: 'getIndex',
    summary: 'Where everything is',
    description: 'Addresses of the lists, and of what tells of the API.',
    answers: { 200: { description: 'Addresses by name.', schema: indexShape } },
    handle: async () => reply(200, INDEX),
  });

  const showDocument = endpoint({
    ...about,
    path: '/openapi.json',
    id: 'getOpenApi',
    summary: 'This document',
    description: 'OpenAPI 3.1. It changes with the build only, and has an `ETag`.',
    answers: { 200: { description: 'The document.', schema: v.looseObject({}) } },
    handle: async () => ({ send: async (res) => sendDocument(res, document()) }),
  });

  const showDocs = endpoint({
    ...about,
    path: '/docs',
    id: 'getDocs',
    summary: 'This document, to be read',
    description: 'A page for people.',
    answers: { 200: { description: 'The page.', schema: null, otherwise: 'text/html' } },
    handle: async () => ({
      send: async (res) =>
        sendHtml(
          res,
          page({
            title: 'API',
            section: null,
            assets: assetPaths,
            body: apiBody(docsOf(all())),
            now: null,
            cost: null,
            polling: null,
            visitor: visitorOf(res.req),
          }),
        ),
    }),
  });
  return [showIndex, showDocument, showDocs];
}

const about = { method: 'GET', group: 'Service', scope: 'open', problems: [] } as const;

const INDEX = {
  jobs: '/api/v1/jobs',
  runs: '/api/v1/runs',
  upcoming: '/api/v1/upcoming',
  actions: '/api/v1/actions',
  system: '/api/v1/system',
  openapi: '/api/v1/openapi.json',
  docs: '/api/v1/docs',
};

const indexShape = v.strictObject({
  jobs: v.string(),
  runs: v.string(),
  upcoming: v.string(),
  actions: v.string(),
  system: v.string(),
  openapi: v.string(),
  docs: v.string(),
});

const withTag = (text: string) => ({
  text,
  tag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
});

/** Whoever has it already is not sent it again, also where `fetch` adds that it wants it anew. */
function sendDocument(
  res: Response,
  { text, tag }: { readonly text: string; readonly tag: string },
): void {
  const known = (res.req.get('If-None-Match') ?? '').split(/, */);
  res.set({ ETag: tag, 'Cache-Control': 'no-cache' });
  if (known.includes(tag) || known.includes(`W/${tag}`)) res.status(304).end();
  else res.type('application/json').send(text);
}
