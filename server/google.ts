import { googleAuthLibrary, grpc } from 'google-gax';

/** What the clients of Google's services have in common. Imported by what calls one, lazily. */
export { googleAuthLibrary, grpc };

/**
 * Whose credentials this process has: a service account's e-mail, or the kind of them where they
 * tell no name. Rejects where there are none, or none that Google takes.
 */
export async function whoseCredentials(): Promise<string> {
  const scopes = ['https://www.googleapis.com/auth/cloud-platform'];
  const auth = new googleAuthLibrary.GoogleAuth({ scopes });
  const client = await auth.getClient();
  await client.getAccessToken();
  const { client_email: email } = await auth.getCredentials();
  return email ?? 'an account of a person';
}

/** What ended a call, and may not end the next. */
export const PASSING: ReadonlySet<number> = new Set([
  grpc.status.CANCELLED,
  grpc.status.UNKNOWN,
  grpc.status.DEADLINE_EXCEEDED,
  grpc.status.RESOURCE_EXHAUSTED,
  grpc.status.ABORTED,
  grpc.status.INTERNAL,
  grpc.status.UNAVAILABLE,
]);

/** What a call failed with; `code` is undefined for what is no answer, such as no credentials. */
export function failureOf(error: unknown): {
  readonly code: number | undefined;
  readonly detail: string;
} {
  const code: unknown = Reflect.get(Object(error), 'code');
  const details: unknown = Reflect.get(Object(error), 'details');
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: typeof code === 'number' ? code : undefined,
    detail: typeof details === 'string' && details !== '' ? details : message,
  };
}

/** Milliseconds as Google has them: an instant, or a length of time. */
export const secondsOf = (ms: number) => ({
  seconds: Math.floor(ms / 1000),
  nanos: (ms - Math.floor(ms / 1000) * 1000) * 1_000_000,
});

/**
 * Options for a client whose service is played by another program at `host:port`, such as an
 * emulator: it speaks without encryption, and takes nobody's word for anything.
 */
export function standIn(address: string) {
  const [, host = address, port = '8080'] = /^(.*):(\d+)$/.exec(address) ?? [];
  return {
    apiEndpoint: host,
    port: Number(port),
    sslCreds: grpc.credentials.createInsecure(),
    authClient: new googleAuthLibrary.PassThroughClient(),
  };
}
