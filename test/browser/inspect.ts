import type { Browser, Page } from 'playwright-core';

/** A page that nothing may happen on but what its own script does. */
export interface Watched {
  readonly page: Page;
  /** What it may ask for from now on, beside what all pages load; `/runs/*` for all under it. */
  readonly allow: (paths: readonly string[]) => void;
  /** What it may ask for as yet. */
  readonly allowed: () => readonly string[];
  /** What happened since the last time that it should not have, in words. */
  readonly happened: () => readonly string[];
}

/** A page as wide as a phone, of which everything is noted that no text may bring about. */
export async function watched(browser: Browser, url: string): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
  let found: string[] = [];
  let allowed: readonly string[] = [];
  page.on('dialog', (dialog) => {
    found.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => found.push(`script error: ${error.message}`));
  page.on('popup', () => found.push('a window was opened'));
  page.on('download', () => found.push('something was downloaded'));
  page.on('console', (line) => {
    // A page that is refused says so by its status.
    const refused = line.text().startsWith('Failed to load resource: the server responded with a');
    // So does one that is left while it asks for itself; asking elsewhere is noted all the same.
    const left = line.text().startsWith('htmx: htmx:error: Failed to fetch');
    if (line.type() === 'error' && !refused && !left) found.push(`console: ${line.text()}`);
  });
  page.on('request', (request) => {
    const { origin, pathname } = new URL(request.url());
    const known = ['/assets/*', ...allowed].some((path) =>
      path.endsWith('*') ? pathname.startsWith(path.slice(0, -1)) : pathname === path,
    );
    if (origin !== url || !known) found.push(`${request.method()} ${request.url()}`);
  });
  await page.addInitScript(() => {
    // What nobody sees need not be drawn, which takes longer than to make and to look at it.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(':root { opacity: 0 }');
    document.adoptedStyleSheets = [sheet];
    const violations: string[] = [];
    Reflect.set(globalThis, 'violations', violations);
    document.addEventListener('securitypolicyviolation', (event) => {
      violations.push(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  return {
    page,
    allow: (paths) => void (allowed = paths),
    allowed: () => allowed,
    happened: () => {
      const since = found;
      found = [];
      return since;
    },
  };
}

/** What a page is, as a browser took it. */
export interface Seen {
  /** Each kind of element with its attributes: of those that say what it does, their values too. */
  readonly kinds: readonly string[];
  /** All that can be read or heard, blanks made one. */
  readonly text: string;
  /** What no page may have, in words. */
  readonly wrong: readonly string[];
  /** Where a list goes on. */
  readonly next: string | null;
}

/** What htmx marks while it waits for an answer, and puts it in place. */
const MOVING = ['request', 'swapping', 'added', 'settling'].map((one) => `.htmx-${one}`).join();

/** Looks at a page once nothing is being put in place any more. */
export async function look(page: Page): Promise<Seen> {
  for (let tries = 0; tries < LOOKS; tries += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const seen = await page.evaluate(lookAround, MOVING);
    if (seen !== false) return seen;
    // oxlint-disable-next-line no-await-in-loop
    await page.waitForTimeout(LOOK_AGAIN_MS);
  }
  throw new Error(`${page.url()} does not come to rest`);
}

const LOOK_AGAIN_MS = 20;
const LOOKS = 30_000 / LOOK_AGAIN_MS;

/**
 * Runs in the page, so it can use nothing but itself. Whether anything moves is looked at in the
 * same turn as all else: a page may ask for itself at any moment.
 */
function lookAround(moving: string): Seen | false {
  if (document.querySelector(moving) !== null) return false;
  // What says what an element does has few values; the others are data.
  const TELLING = ['class', 'hx-target', 'hx-swap', 'hx-trigger', 'hx-sync', 'hx-disable'];
  const MORE = ['hx-push-url', 'method', 'rel', 'role', 'type', 'http-equiv', 'style', 'target'];
  const LINKS = ['href', 'action', 'src', 'hx-get', 'hx-post', 'formaction', 'xlink:href'];
  const OURS = /^(?:\/(?!\/)|#|\?|https:\/\/console\.cloud\.google\.com\/traces\/list\?)/;
  const HIDDEN = new RegExp(
    String.raw`[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]--[\t\n\u200c-\u200d\ufe0e-\ufe0f]]`,
    'v',
  );
  const kinds = new Set<string>();
  const wrong: string[] = [...Reflect.get(globalThis, 'violations')];
  const said: string[] = [];
  const ids = new Set<string>();
  for (const element of document.querySelectorAll('*')) {
    const names = element.getAttributeNames();
    const attributes = names.map((name) => {
      const value = element.getAttribute(name) ?? '';
      if (HIDDEN.test(value)) wrong.push(`hidden in ${name}: ${value}`);
      if (LINKS.includes(name) && !OURS.test(value)) wrong.push(`${name} is ${value}`);
      if (['title', 'aria-label', 'placeholder', 'value'].includes(name)) said.push(value);
      const telling = TELLING.includes(name) || MORE.includes(name);
      // Places that scripts put something at are no more than that.
      return telling ? `${name}=${value.replaceAll(/-?[\d.]+px/g, '#')}` : name;
    });
    kinds.add(`${element.localName}[${attributes.toSorted().join(' ')}]`);
    if (element instanceof HTMLTextAreaElement) said.push(element.value);
    if (element.id === '') continue;
    if (ids.has(element.id)) wrong.push(`two are #${element.id}`);
    ids.add(element.id);
  }
  // While it is laid out as it is: what is opened below would have all laid out once more.
  const root = document.documentElement;
  const wide = root.scrollWidth - root.clientWidth;
  if (wide > 0) wrong.push(`${wide} px too wide`);
  const folded = [...document.querySelectorAll('details:not([open])')].map((fold) => {
    const name = fold.getAttribute('name');
    // Of several that share one only one can be open.
    fold.removeAttribute('name');
    fold.setAttribute('open', '');
    return { fold, name };
  });
  const walk = document.createTreeWalker(document, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_COMMENT);
  for (let node = walk.nextNode(); node !== null; node = walk.nextNode()) {
    const text = node.textContent ?? '';
    if (node.nodeType === Node.COMMENT_NODE) wrong.push(`a comment: ${text}`);
    if (HIDDEN.test(text)) wrong.push(`hidden in text: ${JSON.stringify(text)}`);
    // Most are nothing but the blanks between elements.
    if (!/\S/.test(text)) continue;
    const parent = node.parentElement;
    const inSight = parent?.checkVisibility() === true || parent?.closest('svg, option, title');
    if (inSight) said.push(text);
  }
  for (const { fold, name } of folded) {
    fold.removeAttribute('open');
    if (name !== null) fold.setAttribute('name', name);
  }
  const body: unknown = document.body;
  const own = [
    [document.querySelector('main'), document.getElementById('page')],
    [document.defaultView, globalThis],
    [body, document.querySelector('html > body')],
    [Reflect.get(document, 'querySelector'), Reflect.get(Document.prototype, 'querySelector')],
    [Reflect.get(document, 'getElementById'), Reflect.get(Document.prototype, 'getElementById')],
    [typeof Reflect.get(globalThis, 'htmx'), 'object'],
    [Object.hasOwn(Object.prototype, 'admin'), false],
  ];
  if (own.some(([a, b]) => a !== b)) wrong.push('something stands in the place of what is ours');
  if (!document.title.endsWith(' · Punctual')) wrong.push(`the title is ${document.title}`);
  const next = [...document.querySelectorAll('.pager a')].find(({ textContent }) =>
    /^(?:Older|Look further|Next page)/.test(textContent ?? ''),
  );
  return {
    kinds: [...kinds],
    text: said.join('\n').replaceAll(/\s+/g, ' '),
    wrong,
    next: next?.getAttribute('href') ?? null,
  };
}
