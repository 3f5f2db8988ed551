import { createHash } from 'node:crypto';
import type { Request, Response, Router } from 'express';
import { html, type Html } from '../../../views/html.ts';
import {
  page,
  pagePart,
  unwritable,
  type Page,
  type Section,
  type Visitor,
} from '../../../views/layout.ts';
import type { Deps } from '../../core/deps.ts';
import { priceOf, type Store } from '../../core/store.ts';
import type { Instant } from '../../core/time.ts';
import { callerOf } from '../caller.ts';
import { assetPaths } from './assets.ts';
import { counted } from './counted.ts';
import { isHtmx } from './problem-page.ts';
import { sendHtml } from './send-html.ts';

/** What a page shows. */
export interface Shown {
  readonly title: string;
  readonly section: Section;
  /** The store's time that it was made by. */
  readonly now: Instant;
  readonly body: Html;
  /** Whether it may change by itself, so that it asks again. */
  readonly live: boolean;
}

export type Asking = Request<Record<string, string>>;

/** How often pages ask for what is new: seldom, where each answer is billed. */
const REFRESH_SECONDS = { free: 3, billed: 15 } as const;

export const refreshSeconds = (store: Pick<Store, 'costs'>): number =>
  REFRESH_SECONDS[priceOf(store)];

/**
 * Serves a page at a path. To a part of itself that asks (a poll, a filter) it sends only what
 * stands in it; to a poll that has this already, nothing. `make` is given a store that counts what
 * is asked of it, which the page's footer tells.
 */
export function showAt(
  router: Router,
  path: string,
  deps: Deps,
  make: (deps: Deps, req: Asking) => Promise<Shown>,
): void {
  router.get(path, async (req: Asking, res) => {
    const whole = await wholePage(deps, req, make);
    res.set('Vary', 'HX-Request');
    if (asksForPart(req)) sendPart(req, res, whole);
    else sendHtml(res, page(whole));
  });
}

/** Answers a form that was sent without scripts by the page it stands on, with what is wrong. */
export async function showAgain(
  deps: Deps,
  req: Asking,
  res: Response,
  make: (deps: Deps, req: Asking) => Promise<Shown>,
): Promise<void> {
  sendHtml(res, page(await wholePage(deps, req, make)));
}

async function wholePage(
  deps: Deps,
  req: Asking,
  make: (deps: Deps, req: Asking) => Promise<Shown>,
): Promise<Page> {
  const startedAt = performance.now();
  const { store, asked } = counted(deps.store);
  const shown = await make({ ...deps, store }, req);
  // The system page says more of it.
  const warns = typeof deps.store.trouble === 'string' && shown.section !== 'system';
  return {
    ...shown,
    body: warns ? html`${unwritable}${shown.body}` : shown.body,
    assets: assetPaths,
    cost: { ...asked(), ms: performance.now() - startedAt },
    visitor: visitorOf(req),
    polling: shown.live ? { url: req.originalUrl, seconds: refreshSeconds(deps.store) } : null,
  };
}

/** Whoever sits at this machine needs not be told who they are. */
export function visitorOf(req: Request): Visitor | null {
  const { name, role, by } = callerOf(req);
  return name === null ? null : { name, role, signedIn: by === 'session' };
}

/** Not somebody who goes back in their history: the whole page is wanted then. */
const asksForPart = (req: Asking): boolean =>
  isHtmx(req) && req.get('HX-History-Restore-Request') !== 'true';

function sendPart(req: Asking, res: Response, whole: Page): void {
  const tag = tagOf(whole.body);
  const known = req.get('HX-PTag') === tag && whole.polling !== null;
  res.set('HX-PTag', tag);
  if (known) res.status(304).end();
  else sendHtml(res, pagePart(whole, req.get('HX-Source')?.endsWith('#poller') === true));
}

/**
 * Tells two contents apart. Words that say how long ago something was go on by themselves, and a
 * form's key is another one each time.
 */
const tagOf = ({ markup }: Html): string =>
  createHash('sha256')
    .update(
      markup
        .replaceAll(/(<time [^>]*data-[^>]*>)[^<]*/g, '$1')
        .replaceAll(/(<input [^>]*data-fresh [^>]*value=")[^"]*/g, '$1'),
    )
    .digest('base64url')
    .slice(0, 22);
