import type { Browser } from 'playwright-core';
import type { PageName } from './fields.ts';
import { look, watched, type Seen, type Watched } from './inspect.ts';
import { cut, oneBlank, type Planting } from './planted.ts';
import { pathPart, visible } from '../../views/html.ts';
import { openWorld, type World } from './world.ts';

/** What was found on all the pages that were visited. */
export interface Findings {
  readonly kinds: Set<string>;
  readonly wrong: string[];
}

export const noFindings = (): Findings => ({ kinds: new Set(), wrong: [] });

/** What is wrong with either, and what the corpus adds to the elements of harmless words. */
export function judge(harmless: Findings, corpus: Findings) {
  const known = new Set([...harmless.kinds].map(wherever));
  const added = [...corpus.kinds].filter((kind) => !known.has(wherever(kind)));
  return { harmless: harmless.wrong, corpus: corpus.wrong, added };
}

/** On which side of its line a time is written is up to the time at which one looks. */
const wherever = (kind: string): string =>
  kind.replace(/^text\[class=at-(?:start|mid|end)/, 'text[');

export const CLEAN = { harmless: [], corpus: [], added: [] };

/** A world with a page to look at it. */
export interface Visiting {
  readonly planting: Planting;
  readonly world: World;
  readonly tab: Watched;
  readonly findings: Findings;
}

/** So many kinds of a thing have room on a page. */
const EACH = 20;
const AT_ONCE = 2;

/** Has a visitor go through the worlds of all texts, two of them at a time. */
export async function visitAll(
  browser: Browser,
  planting: Planting,
  visitor: (visiting: Visiting) => Promise<void>,
): Promise<Findings> {
  const findings = noFindings();
  const { length } = planting.all;
  const starts = Array.from({ length: Math.ceil(length / EACH) }, (_, i) => i * EACH).values();
  const work = async (): Promise<void> => {
    for (const from of starts) {
      const numbers = Array.from({ length: Math.min(EACH, length - from) }, (_, i) => from + i);
      await visit(browser, { planting, numbers, findings }, visitor);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return findings;
}

/** Has a visitor go through one world. */
export async function visit(
  browser: Browser,
  of: Pick<Visiting, 'planting' | 'findings'> & { readonly numbers: readonly number[] },
  visitor: (visiting: Visiting) => Promise<void>,
): Promise<void> {
  const { planting, numbers, findings } = of;
  const world = await openWorld(planting, numbers);
  const tab = await watched(browser, world.url);
  await visitor({ planting, world, tab, findings });
  await tab.page.close();
  await world.close();
}

/** Opens a page and looks at it. */
export async function open(
  visiting: Visiting,
  path: string,
  statuses: readonly number[] = [200],
): Promise<Seen> {
  const { world, tab, findings } = visiting;
  const { pathname } = new URL(path, world.url);
  // A log asks by itself for what is new.
  const paths = [pathname, `${pathname}/log`];
  // The page before may ask for itself until this one is there.
  tab.allow([...tab.allowed(), ...paths]);
  const answer = await tab.page.goto(world.url + path);
  tab.allow(paths);
  const status = answer?.status() ?? 0;
  if (!statuses.includes(status)) findings.wrong.push(`${path}: status ${status}`);
  return await lookAgain(visiting, path);
}

/** Looks at the page as it is now. */
export async function lookAgain({ tab, findings }: Visiting, where: string): Promise<Seen> {
  const seen = await look(tab.page);
  for (const what of [...seen.wrong, ...tab.happened()]) findings.wrong.push(`${where}: ${what}`);
  for (const kind of seen.kinds) findings.kinds.add(kind);
  return seen;
}

const MOST_PAGES = 20;

/** All that a list shows, page by page. */
export async function openList(visiting: Visiting, path: string): Promise<string> {
  const said: string[] = [];
  let next: string | null = path;
  for (let n = 0; next !== null && n < MOST_PAGES; n += 1) {
    const seen: Seen = await open(visiting, next);
    said.push(seen.text);
    ({ next } = seen);
  }
  return said.join(' ');
}

/** Has the page ask for itself again, as it does by itself in time; what it shows then. */
export async function poll(visiting: Visiting): Promise<string> {
  const { page } = visiting.tab;
  const asked = await page.evaluate(async () => {
    const poller = document.querySelector('#poller');
    if (poller === null) return false;
    const swapped = new Promise((resolve) => {
      document.addEventListener('htmx:after:settle', resolve, { once: true });
      setTimeout(resolve, 10_000);
    });
    poller.dispatchEvent(new Event('poll'));
    await swapped;
    return true;
  });
  return asked ? (await lookAgain(visiting, `${page.url()} again`)).text : '';
}

/** Has the page tell of all its marks and bars, as a pointer over them does, and of its keys. */
export async function touch(visiting: Visiting): Promise<void> {
  const told = await visiting.tab.page.evaluate(() => {
    const found = new Set<string>();
    for (const mark of document.querySelectorAll('a[data-runs], .lane .track a')) {
      const { left, top, width, height } = mark.getBoundingClientRect();
      const at = { clientX: left + width - 1, clientY: top + height / 2, bubbles: true };
      mark.dispatchEvent(new PointerEvent('pointermove', at));
      for (const part of document.querySelectorAll('.tip *, #tl-cursor *')) {
        found.add(`${part.localName}[${part.getAttributeNames().join(' ')}]`);
      }
    }
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }));
    return [...found];
  });
  for (const kind of told) visiting.findings.kinds.add(`told by ${kind}`);
  await lookAgain(visiting, `${visiting.tab.page.url()} touched`);
}

/** Notes each planted text that a page of a number does not show. */
export function expectShown(
  { planting, findings }: Visiting,
  { page, k, text }: { readonly page: PageName; readonly k: number; readonly text: string },
): void {
  for (const { field, text: expected } of planting.shownOn(page, k)) {
    if (!text.includes(expected)) {
      findings.wrong.push(`${page} ${k} does not show ${field}: ${expected}`);
    }
  }
}

/** Notes each of some texts that a page does not show. */
export function expectTexts(
  { findings }: Visiting,
  {
    where,
    texts,
    most,
    text,
  }: {
    readonly where: string;
    readonly texts: readonly string[];
    readonly most: number;
    readonly text: string;
  },
): void {
  for (const one of texts) {
    const expected = oneBlank(visible(cut(one.toWellFormed(), most)));
    if (!text.includes(expected)) findings.wrong.push(`${where} does not show ${expected}`);
  }
}

/** Texts that go together where there is room for so many characters, of which one has a part. */
export function batches(
  texts: readonly string[],
  { most, longest, written }: Readonly<Record<'most' | 'longest' | 'written', number>>,
): string[][] {
  const all: string[][] = [];
  let [room, left] = [0, 0];
  for (const whole of texts) {
    const text = cut(whole, Math.min(most, longest));
    const length = pathPart(text).length;
    const last = all.at(-1);
    if (last === undefined || text.length + 1 > room || length > left) {
      all.push([text]);
      [room, left] = [most - text.length, written - length];
    } else {
      last.push(text);
      room -= text.length + 1;
      left -= length;
    }
  }
  return all;
}

/** Types the same text into all fields of a form that take any, and has the form sent. */
export const send = (
  { tab }: Visiting,
  form: string,
  { typed, how }: { readonly typed: string; readonly how: 'script' | 'plain' },
): Promise<void> =>
  tab.page.evaluate(
    async ({ form: selector, typed: text, how: way }) => {
      const found = document.querySelector(selector);
      if (!(found instanceof HTMLFormElement)) throw new Error(`no form is ${selector}`);
      for (const field of found.querySelectorAll('input')) {
        // What no browser would send, such as another choice, is refused with all the rest.
        if (field.type !== 'hidden' && field.type !== 'checkbox') field.value = text;
      }
      for (const area of found.querySelectorAll('textarea')) {
        // Once with what is no JSON, and once with nothing but what the schema refuses.
        area.value = area.name === 'input.free' && way === 'script' ? '' : text;
      }
      found.noValidate = true;
      if (way === 'plain') return HTMLFormElement.prototype.submit.call(found);
      const swapped = new Promise((resolve) => {
        document.addEventListener('htmx:after:settle', resolve, { once: true });
        setTimeout(resolve, 10_000);
      });
      found.requestSubmit();
      await swapped;
    },
    { form, typed, how },
  );
