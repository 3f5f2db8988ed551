const LONG_MS = 60_000;

/** The clock's timers let a process end; one that is about to write must not end before it did. */
export async function wakefully(wait: Promise<void>): Promise<void> {
  const alive = setInterval(() => {}, LONG_MS);
  await wait.finally(() => clearInterval(alive));
}
