import { googleAuthLibrary, grpc } from 'google-gax';

/** What the clients of Google's services have in common. Imported by what calls one, lazily. */
export { googleAuthLibrary, grpc };

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
