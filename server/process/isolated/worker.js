import { useCompileCache } from '../compile-cache.js';

// As in start.js: what is imported after this comes compiled.
useCompileCache();
await import('./worker.ts');
