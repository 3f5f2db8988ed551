import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import type { RunJson } from '../../process/server.ts';

/**
 * A database as a released version left it: its server was killed in the middle of its work. What
 * that version said of it last, just before, stands beside it.
 */
export interface Released {
  readonly commit: string;
  /** By the machine's clock, in ms. */
  readonly killedAt: number;
  /** The files as they were: `punctual.db` and its log. */
  readonly db: Buffer;
  readonly wal: Buffer;
  /** What its API answered. */
  readonly runs: readonly (RunJson & { readonly trigger: string })[];
  readonly jobs: readonly { readonly name: string }[];
  /** The answer to the log of the run by the key "talks". */
  readonly log: string;
}

/** Of the fixtures alone, and of no use anywhere else. */
export const SECRET_KEY = '07'.repeat(32);

const FOLDER = new URL('./fixtures/', import.meta.url).pathname;

/** The names of all fixtures, oldest first. */
export const releasedNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.br'))
    .map((name) => name.replace('.br', ''))
    .toSorted();

export const readReleased = (name: string): Released =>
  deserialize(brotliDecompressSync(readFileSync(join(FOLDER, `${name}.br`))));

/** Gives the size of the file. */
export function writeReleased(name: string, released: Released): number {
  const bytes = brotliCompressSync(serialize(released));
  writeFileSync(join(FOLDER, `${name}.br`), bytes);
  return bytes.length;
}
