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
