import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** A new id of the store's alphabet, `[a-z0-9]+`, with 100 random bits. */
export function newId(): string {
  return BigInt(`0x${randomBytes(13).toString('hex')}`)
    .toString(36)
    .slice(0, 20)
    .padStart(20, '0');
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
