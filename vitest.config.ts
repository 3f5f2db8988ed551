import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup.ts'],
    // Many wait for processes, browsers and clocks: with a core left idle, as by default, all wait.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A second, as by default, is too short for real processes on a busy machine.
    expect: { poll: { timeout: 20_000 } },
  },
});
