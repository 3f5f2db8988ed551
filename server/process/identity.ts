import { hostname } from 'node:os';
import { systemClock } from './clock.ts';
import { randomByte } from './randomness.ts';

const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz';
/** The most bytes that come out even: above it, some letters would be likelier than others. */
const EVEN = 256 - (256 % LETTERS.length);

/** Enough for thousands of years. */
const TIME_LETTERS = 9;
const ID_LETTERS = 20;

/**
 * A new id of the store's alphabet, `[a-z0-9]+`: when it was made, to the millisecond, and 57
 * random bits. Ids that are made one after another lie side by side in an index; those of mere
 * chance each take a page of it.
 */
export function newId(): string {
  let id = systemClock.wall().toString(36).padStart(TIME_LETTERS, '0');
  while (id.length < ID_LETTERS) {
    const byte = randomByte();
    if (byte < EVEN) id += LETTERS[byte % LETTERS.length];
  }
  return id;
}

/** This process, in words for people: never used to decide anything. */
export const ownerName = (): string => `${hostname()}:${process.pid}`;

/**
 * The platform's id of what is deployed; else one of this start, so that a newer start is newer.
 */
export function defaultBuild(env: NodeJS.ProcessEnv, now: number): string {
  const started = `start-${new Date(now).toISOString()}`;
  return env['GAE_DEPLOYMENT_ID'] ?? env['K_REVISION'] ?? started;
}
