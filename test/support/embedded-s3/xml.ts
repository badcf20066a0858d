// S3's XML, as much as the SDK needs: errors, a listing, a batch of keys to delete.
// Ambiguous documents are refused.

import type { StoredObject } from './description.ts';
import { notImplemented, S3Error } from './error.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export function errorXml(error: S3Error): string {
  const fields = { Code: error.code, Message: error.message, ...error.details };
  return `${HEAD}<Error>${elements(fields)}</Error>`;
}

export function copiedXml(etag: string, at: Date): string {
  return `${HEAD}<CopyObjectResult ${NAMESPACE}>${elements({ ETag: etag, LastModified: at.toISOString() })}</CopyObjectResult>`;
}

export interface Page {
  bucket: string;
  prefix: string;
  maxKeys: number;
  objects: StoredObject[];
  /** Set if there are more keys; the listing continues after the last of `objects`. */
  next: string | undefined;
}

export function listXml(page: Page): string {
  const fields = {
    Name: page.bucket,
    Prefix: page.prefix,
    KeyCount: String(page.objects.length),
    MaxKeys: String(page.maxKeys),
    IsTruncated: String(page.next !== undefined),
    ...(page.next !== undefined && { NextContinuationToken: page.next }),
  };
  const contents = page.objects.map(
    (object) =>
      `<Contents>${elements({
        Key: object.key,
        LastModified: new Date(object.lastModified).toISOString(),
        ETag: object.etag,
        Size: String(object.sizeBytes),
        StorageClass: 'STANDARD',
      })}</Contents>`,
  );
  return `${HEAD}<ListBucketResult ${NAMESPACE}>${elements(fields)}${contents.join('')}</ListBucketResult>`;
}

export function deletedXml(keys: string[]): string {
  const deleted = keys.map((key) => `<Deleted>${elements({ Key: key })}</Deleted>`);
  return `${HEAD}<DeleteResult ${NAMESPACE}>${deleted.join('')}</DeleteResult>`;
}

/** Reads the keys of a DeleteObjects body. */
export function parseDelete(xml: string): { keys: string[]; quiet: boolean } {
  const malformed = new S3Error(400, 'MalformedXML', 'The list of keys to delete cannot be read.');
  if (/<!/.test(xml) || !/<Delete[\s>]/.test(xml)) throw malformed;
  const keys = [...xml.matchAll(/<Object>([^]*?)<\/Object>/g)].map((object) => {
    const inside = /^\s*<Key>([^<]*)<\/Key>\s*$/.exec(object[1]!);
    if (!inside) throw notImplemented('deletion by anything but the key');
    return unescape(inside[1]!);
  });
  if (keys.length === 0 || keys.length > 1000) throw malformed;
  return { keys, quiet: /<Quiet>\s*true\s*<\/Quiet>/.test(xml) };
}

function elements(fields: Record<string, string>): string {
  return Object.entries(fields)
    .map(([name, text]) => `<${name}>${escape(text)}</${name}>`)
    .join('');
}

const NAMED: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  // A parser would turn a bare CR into LF and drop blanks at the ends of a key.
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[&<>"\u0000-\u001f]|^ | $/g, (c) => NAMED[c] ?? `&#${c.charCodeAt(0)};`);
}

function unescape(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|#x([0-9a-f]+)|(amp|lt|gt|quot|apos));/gi, (_, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(Number.parseInt(hex as string, 16));
    return { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[String(name).toLowerCase()]!;
  });
}
