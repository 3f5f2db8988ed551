import { useCompileCache } from './process/compile-cache.js';

// Only what is imported after this comes from the cache. What comes before it is JavaScript: what
// Node takes types away with needs 100 ms to load, and for what is cached it is not even loaded.
useCompileCache();
const { main } = await import('./main.ts');
await main();
