import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A stand-in for what Google signs with, and for where it shows its certificates. */

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicPem: string;
  readonly certificate: string;
}

export function signingKey(kid: string): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    kid,
    privateKey,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    certificate: selfSigned(privateKey, publicKey),
  };
}

export type Claims = Readonly<Record<string, unknown>>;

const encoded = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

/** The part of a token that is signed. */
export const signedPart = (header: Claims, claims: unknown): string =>
  `${encoded({ typ: 'JWT', ...header })}.${encoded(claims)}`;

export function token(key: SigningKey, claims: unknown, header: Claims = {}): string {
  const part = signedPart({ alg: 'RS256', kid: key.kid, ...header }, claims);
  return `${part}.${sign('RSA-SHA256', Buffer.from(part), key.privateKey).toString('base64url')}`;
}

/** What Identity-Aware Proxy signs with, and where it shows its keys. */
export function proxyKey(kid: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid, privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

export type ProxyKey = ReturnType<typeof proxyKey>;

export function assertion(key: ProxyKey, claims: unknown, header: Claims = {}): string {
  const part = signedPart({ alg: 'ES256', kid: key.kid, ...header }, claims);
  const how = { key: key.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${part}.${sign('sha256', Buffer.from(part), how).toString('base64url')}`;
}

/** Answers as https://www.gstatic.com/iap/verify/public_key does. */
export async function proxyKeyPage(...keys: readonly ProxyKey[]): Promise<CertificatePage> {
  const page = await certificatePage();
  const show = (shown: readonly ProxyKey[]): string =>
    JSON.stringify(Object.fromEntries(shown.map(({ kid, pem }) => [kid, pem])));
  page.body = show(keys);
  return page;
}

export interface CertificatePage {
  readonly url: string;
  shown: readonly SigningKey[];
  status: number;
  /** What is sent in place of the certificates. */
  body: string | undefined;
  maxAge: number | null;
  /** How often it was asked. */
  asked: number;
}

/** Answers as https://www.googleapis.com/oauth2/v1/certs does. */
export async function certificatePage(...shown: readonly SigningKey[]): Promise<CertificatePage> {
  const server = createServer((_req, res) => {
    page.asked += 1;
    const age = page.maxAge === null ? {} : { 'Cache-Control': `public, max-age=${page.maxAge}` };
    res.writeHead(page.status, { 'Content-Type': 'application/json; charset=UTF-8', ...age });
    const certificates = page.shown.map(({ kid, certificate }) => [kid, certificate]);
    res.end(page.body ?? JSON.stringify(Object.fromEntries(certificates)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const page: CertificatePage = {
    url: `http://127.0.0.1:${port}/certs`,
    shown,
    status: 200,
    body: undefined,
    maxAge: 3600,
    asked: 0,
  };
  return page;
}

/** The smallest X.509 certificate there is (RFC 5280, 4.1), as PEM. */
function selfSigned(privateKey: KeyObject, publicKey: KeyObject): string {
  const sha256WithRsa = sequence(Buffer.from('06092a864886f70d01010b0500', 'hex'));
  const times = ['20260101000000Z', '20270101000000Z'].map((time) => der(0x18, Buffer.from(time)));
  const nobody = sequence();
  const signed = sequence(
    der(0x02, Buffer.from([1])),
    sha256WithRsa,
    nobody,
    sequence(...times),
    nobody,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('RSA-SHA256', signed, privateKey)]);
  const text = sequence(signed, sha256WithRsa, der(0x03, signature)).toString('base64');
  const lines = text.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(parts));

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
