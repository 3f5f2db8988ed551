import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where what was compiled is kept: `npm run compile-cache` fills it when the service is built. */
export const CACHE_FOLDER = resolve(import.meta.dirname, '../../.compile-cache');

/**
 * Lets Node keep what it compiles from here on, and take it from there at the next start. Where
 * that can't be, the start takes longer, and nothing else: it never throws. What the environment
 * says of the cache holds.
 */
export function useCompileCache() {
  if (process.env['NODE_COMPILE_CACHE'] || process.env['NODE_DISABLE_COMPILE_CACHE']) return;
  enableCompileCache(borrowed() ?? CACHE_FOLDER);
}

/**
 * Node looks into a sub-folder named for its version, its kind of processor and the user. A service
 * that is built by one user and run by another, or elsewhere, finds none there, and may be unable
 * to make one. So it gets the other's, under the name that it looks for: by a link in a folder that
 * is ours alone, as in a shared one anybody could put something. What is linked lies in the
 * service's own folder, so it is trusted as the code there is; and V8 takes nothing that another
 * version has made, or from another text. Undefined where there is one of our own, or none at all.
 */
function borrowed() {
  try {
    const version = `${process.version}-${process.arch}-`;
    // Imported as a module it would take as long as all else here.
    const tag = process.getBuiltinModule('node:v8').cachedDataVersionTag();
    const machine = `${version}${tag.toString(16).padStart(8, '0')}-`;
    const own = `${machine}${process.getuid?.()}`;
    if (existsSync(join(CACHE_FOLDER, own))) return undefined;
    const others = readdirSync(CACHE_FOLDER).filter((name) => name.startsWith(version));
    const other = others.find((name) => name.startsWith(machine)) ?? others[0];
    if (other === undefined) return undefined;
    const folder = mkdtempSync(join(tmpdir(), 'punctual-compile-cache-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    symlinkSync(join(CACHE_FOLDER, other), join(folder, own));
    return folder;
  } catch {
    return undefined;
  }
}
