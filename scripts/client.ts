/** The running server, as PUNCTUAL_URL names it; on this machine, at PORT, when it does not. */
export const serverUrl = (): string =>
  process.env['PUNCTUAL_URL'] ?? `http://127.0.0.1:${process.env['PORT'] ?? '8080'}`;

/** Asks the server, and throws its own words when it refuses. */
export async function request(
  method: string,
  path: string,
  { body, headers }: { readonly body: unknown; readonly headers: Readonly<Record<string, string>> },
): Promise<Record<string, unknown>> {
  const answer = await fetch(serverUrl() + path, {
    method,
    headers: { Accept: 'application/json', 'Content-Type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    throw new Error(
      `no server answers at ${serverUrl()} (${String(cause)}): start it with npm start`,
    );
  });
  const text = await answer.text();
  const read = objectOf(text);
  if (answer.ok) return read;
  const { detail } = read;
  const told = typeof detail === 'string' ? detail : text.slice(0, 500);
  throw new Error(`the server answers ${answer.status}: ${told}`);
}

function objectOf(text: string): Record<string, unknown> {
  try {
    return Object.fromEntries(Object.entries(Object(JSON.parse(text))));
  } catch {
    return {};
  }
}
