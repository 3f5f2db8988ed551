import { pathPart } from './html.ts';

/** Addresses of pages, and of what stands under them. */

/** `rest` begins with its own `/` or `?`. */
export const jobUrl = (name: string, rest = ''): string => `/jobs/${pathPart(name)}${rest}`;

export const runUrl = (id: string, rest = ''): string => `/runs/${pathPart(id)}${rest}`;

/** A path with what is asked of it; what is empty is left out. */
export function withQuery(path: string, asked: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== ''));
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}
