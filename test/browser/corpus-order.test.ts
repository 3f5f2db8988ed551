import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { jobUrl, runUrl } from '../../views/urls.ts';
import { IN_ONE_FRAME } from './chromium.ts';
import { Planting } from './planted.ts';
import { noFindings, open, visit, type Visiting } from './visiting.ts';
import { NAMES, RUNS } from './world.ts';
import { browser, useChromium } from './use-chromium.ts';

/** Text that runs from right to left runs so by itself: nothing beside it changes its place. */

useChromium(IN_ONE_FRAME);

/** What ends in a number takes along the number behind it, and a bracket is turned round. */
const BACKWARDS = Array.from({ length: 20 }, (_, n) => n + 10).map(
  (i) =>
    [`\u05d0\u05d1\u05d2 ${i}`, `\u0645\u0631\u062d\u0628\u0627 (${i}`, `\u05e9 ${i} -`][i % 3] ??
    '',
);

/** In the page: each text of which something that follows it in the line stands before its end. */
function misplaced(texts: readonly string[]): string[] {
  const found: string[] = [];
  const boxOf = (node: Node, from: number, to: number): DOMRect | undefined => {
    const range = document.createRange();
    range.setStart(node, from);
    range.setEnd(node, to);
    return range.getClientRects()[0];
  };
  const nodes: Node[] = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node !== null; node = walk.nextNode()) {
    if ((node.textContent ?? '').trim() !== '') nodes.push(node);
  }
  for (const [i, node] of nodes.entries()) {
    const said = node.textContent ?? '';
    const text = texts.find((one) => said.includes(one));
    // A schedule and a zone that can be read are not written like this.
    if (text === undefined || node.parentElement?.closest('.settings')) continue;
    const [from, end] = [said.indexOf(text), said.indexOf(text) + text.length];
    const letters = Array.from({ length: text.length }, (_, n) =>
      boxOf(node, from + n, from + n + 1),
    );
    const right = Math.max(...letters.flatMap((box) => box?.right ?? []));
    // Of several in one text each is a neighbour of another by whoever wrote them.
    if (texts.some((one) => said.slice(end).includes(one))) continue;
    const rest = said.slice(end).search(/\S/);
    const other = rest === -1 ? nodes[i + 1] : node;
    const at = rest === -1 ? (other?.textContent ?? '').search(/\S/) : end + rest;
    const next = other === undefined ? undefined : boxOf(other, at, at + 1);
    const last = letters.at(-1);
    const isBeside = last !== undefined && next !== undefined && Math.abs(next.top - last.top) < 6;
    if (isBeside && next.left < right - 1) {
      found.push(`${text} | ${said.slice(end)} ${rest === -1 ? other?.textContent : ''}`);
    }
  }
  return found;
}

const misplacedOn = (page: Page): Promise<string[]> => page.evaluate(misplaced, BACKWARDS);

async function visitAllPages(visiting: Visiting): Promise<void> {
  const { world, tab, findings } = visiting;
  await tab.page.setViewportSize({ width: 1600, height: 900 });
  const of = world.numbers
    .slice(0, 4)
    .flatMap((k) => [
      jobUrl(NAMES.odd(k)),
      jobUrl(NAMES.plain(k)),
      jobUrl(NAMES.plain(k), '/backfill'),
      runUrl(RUNS.live(k)),
      runUrl(RUNS.over(k)),
    ]);
  for (const path of ['/', '/runs', '/actions', '/timeline', '/system', ...of]) {
    await open(visiting, path);
    for (const what of await misplacedOn(tab.page)) findings.wrong.push(`${path}: ${what}`);
  }
}

test('a text that runs the other way leaves what stands behind it in its place', async () => {
  const findings = noFindings();
  const planting = new Planting(BACKWARDS);
  const numbers = BACKWARDS.map((_, i) => i);

  await visit(browser, { planting, numbers, findings }, visitAllPages);

  expect(findings.wrong).toEqual([]);
}, 1_200_000);
