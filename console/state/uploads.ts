// Files for the inputs of a workflow. What was uploaded has a name by its content; a small picture of it is kept beside, for a
// form that is looked at again.

import { call } from '../api/call.ts';
import { whenBack } from '../api/connection.ts';
import { onKeyChange } from '../api/key.ts';
import { t } from '../text/index.ts';
import { hexOf } from './hex.ts';
import { storedOfOwner } from './private.ts';

/** Times that a cut upload by a link is begun again. */
const PUT_AGAIN = 5;
const SIDE = 160;
const KEPT = 20;
/** Larger ones, and all else, go by a link. Source: docs/inputs.md. */
const BY_FORM = 4_000_000;
const FORM_TYPES = ['image/png', 'image/jpeg', 'image/webp'];

const pictures = storedOfOwner<[name: string, picture: string][]>('uploads', [], (value) => value as never);

/** A data address; undefined: it is not an upload of this browser. */
export const pictureOf = (name: string): string | undefined =>
  pictures.value.find(([one]) => one === name)?.[1];

/** The files themselves, as long as the page lasts: what is painted on is not the small picture. */
const files = new Map<string, string>();
onKeyChange(() => {
  for (const address of files.values()) URL.revokeObjectURL(address);
  files.clear();
});

/** An address of the whole file; undefined: it was uploaded before the page was loaded, or not here. */
export const fileOf = (name: string): string | undefined => files.get(name);

function keepFile(name: string, file: Blob): void {
  const before = files.get(name);
  if (before !== undefined) URL.revokeObjectURL(before);
  files.delete(name);
  files.set(name, URL.createObjectURL(file));
  const [oldest, address] = [...files][0]!;
  if (files.size <= KEPT) return;
  URL.revokeObjectURL(address);
  files.delete(oldest);
}

/** @returns the name that stands for it in a request. @throws ApiFailure; DOMException AbortError */
export async function upload(file: Blob, filename: string, signal: AbortSignal): Promise<string> {
  const isSmall = file.size <= BY_FORM && FORM_TYPES.includes(file.type);
  const name = await (isSmall ? byForm : byLink)(file, filename, signal);
  signal.throwIfAborted();
  keepFile(name, file);
  const picture = await smallPicture(file);
  signal.throwIfAborted();
  if (picture !== undefined)
    pictures.value = [
      [name, picture] as [string, string],
      ...pictures.value.filter(([one]) => one !== name),
    ].slice(0, KEPT);
  return name;
}

async function byForm(file: Blob, filename: string, signal: AbortSignal): Promise<string> {
  const form = new FormData();
  form.set('image', file, filename);
  // Its name comes of its content.
  return (await call('POST /api/upload/image', { body: form, signal, mayRepeat: true })).name;
}

async function byLink(file: Blob, filename: string, signal: AbortSignal): Promise<string> {
  // Browsers hash only where no one between could have changed the page.
  if (!isSecureContext) throw new Error(t().fileInput.needsHttps);
  const hash = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  const sha256 = hexOf(new Uint8Array(hash));
  const { name, upload } = await call('POST /api/upload/link', {
    body: { filename, size_bytes: file.size, sha256 },
    signal,
    mayRepeat: true,
  });
  if (upload) {
    const { method, url, headers } = upload;
    await put(url, { method, headers, body: file, signal });
  }
  return name;
}

/** To where the link leads, again when the connection is back: sent twice it is there once. @throws Error; DOMException AbortError */
async function put(url: string, sent: RequestInit & { signal: AbortSignal }): Promise<void> {
  for (let times = 0; ; times += 1) {
    const answer = await fetch(url, sent).catch(() => undefined);
    sent.signal.throwIfAborted();
    // 412: the same file is there already.
    if (answer?.ok || answer?.status === 412) return;
    if (answer) throw new Error(`${answer.status} ${answer.statusText}`);
    if (times === PUT_AGAIN) throw new Error(t().noAnswer);
    await whenBack(sent.signal, times);
  }
}

/** Undefined: no picture that this browser can show. */
async function smallPicture(file: Blob): Promise<string | undefined> {
  if (!file.type.startsWith('image/')) return undefined;
  const bitmap = await createImageBitmap(file).catch(() => undefined);
  if (!bitmap) return undefined;
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  canvas.getContext('2d')!.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.toDataURL('image/webp', 0.7);
}
