import { registerHooks } from 'node:module';
import { useCompileCache } from './process/compile-cache.js';

// Only what is imported after this comes from the cache. What comes before it is JavaScript: what
// Node takes types away with needs 100 ms to load, and for what is cached it is not even loaded.
useCompileCache();
resolveOwnAtOnce();
const { main } = await import('./main.ts');
await main();

/**
 * Says where imports of the service's own modules lead, by their text alone. For each of some 350
 * that a start has, Node would look whether it is a file, or a link, and of which package: a tenth
 * of the start.
 */
function resolveOwnAtOnce() {
  const own = new URL('./', import.meta.url).href;
  registerHooks({
    resolve(specifier, context, next) {
      const from = context.parentURL;
      if (!/^\.\.?\/.*\.ts$/.test(specifier) || from === undefined) return next(specifier, context);
      const { href: url } = new URL(specifier, from);
      if (!url.startsWith(own)) return next(specifier, context);
      return { url, format: 'module-typescript', shortCircuit: true };
    },
  });
}
