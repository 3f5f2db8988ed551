import { generateKeyPairSync, sign } from 'node:crypto';

/** A key, and a certificate for one name that it signed itself, as PEM. */
export function certificateFor(name: string): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = der(0x30, hex('06082a8648ce3d040302'));
  const common = der(0x30, hex('0603550403'), der(0x0c, Buffer.from(name)));
  const subject = der(0x30, der(0x31, common));
  const times = ['20260101000000Z', '21260101000000Z'].map((at) => der(0x18, Buffer.from(at)));
  const names = der(0x30, der(0x82, Buffer.from(name)));
  const extension = der(0x30, hex('0603551d11'), der(0x04, names));
  // RFC 5280, 4.1: version 3, number, algorithm, issuer, validity, subject, key, extensions.
  const signed = der(
    0x30,
    hex('a003020102'),
    hex('020101'),
    ecdsaWithSha256,
    subject,
    der(0x30, ...times),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, extension)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', signed, privateKey));
  const whole = der(0x30, signed, ecdsaWithSha256, signature).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${whole}\n-----END CERTIFICATE-----\n`,
  };
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length > 255 ? [0x82, length >> 8, length & 255] : [0x81, length];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content]);
}
