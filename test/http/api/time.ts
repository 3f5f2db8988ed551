import type { TestService } from '../../service.ts';

/** Lets the test's time go on until somebody has been answered. */
export async function whileTimePasses<Value>(
  service: TestService,
  asking: Promise<Value>,
): Promise<Value> {
  let answered = false;
  const noted = asking.finally(() => (answered = true));
  for (let turn = 0; turn < 2000 && !answered; turn += 1) {
    await service.clock.advance(100);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return await noted;
}
