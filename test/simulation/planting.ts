import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import type { Planted } from './edit.ts';
import { FOUND } from './found.ts';
import { PLANTED, WASTEFUL } from './planted.ts';

/** Plants a fault by its name. As a preloaded module it plants the one that PLANTED_FAULT names. */
export function plant(name: string): Planted {
  const fault = [...PLANTED, ...FOUND, WASTEFUL].find((one) => one.name === name);
  if (fault === undefined) throw new Error(`no planted fault is called "${name}"`);
  plantFault(fault);
  return fault;
}

/**
 * Plants a fault into the product's code as it is loaded from then on: its files stay as they are,
 * and it has no switch for it.
 */
export function plantFault(fault: Planted): void {
  for (const { file, find } of fault.edits) {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    const times = text.split(find).length - 1;
    if (times !== 1) throw new Error(`"${find}" stands ${times} times in ${file}, not once`);
  }
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const here = fault.edits.filter(({ file }) => url.endsWith(`/${file}`));
      if (here.length === 0) return loaded;
      const planted = (text: string, { find, put }: (typeof here)[number]): string =>
        text.replace(find, () => put);
      const text = readFileSync(new URL(url), 'utf8');
      return { ...loaded, source: here.reduce(planted, text) };
    },
  });
}

const name = process.env['PLANTED_FAULT'];
if (name !== undefined) plant(name);
