// POST /upload/image: writes a multipart image into one of the folders.
// Paths that leave the folder are refused; the content is not checked, as in ComfyUI.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, normalize, parse, resolve } from 'node:path';
import { type Folders, isInside } from './folders.ts';
import { type Exchange, readBody, sendEmpty, sendJson } from './http.ts';

export async function uploadImage({ request, response }: Exchange, folders: Folders): Promise<void> {
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  const form = await new Response(await readBody(request), { headers }).formData();
  const text = (field: string) => {
    const value = form.get(field);
    return typeof value === 'string' ? value : undefined;
  };
  const image = form.get('image');
  const type = text('type') ?? 'input';
  const root = folders.byType(type);
  if (root === undefined) throw new Error(`no such folder: ${type}`);
  if (image === null || typeof image === 'string' || image.name === '') return sendEmpty(response, 400);
  const subfolder = text('subfolder') ?? '';
  const folder = join(root, normalize(subfolder));
  if (!isInside(root, resolve(folder, image.name))) return sendEmpty(response, 400);
  await mkdir(folder, { recursive: true });
  const bytes = Buffer.from(await image.arrayBuffer());
  const overwrite = text('overwrite') === 'true' || text('overwrite') === '1';
  const name = await put(folder, image.name, bytes, overwrite);
  sendJson(response, 200, { name, subfolder, type });
}

/** The same bytes under the same name are not written again; other bytes get "name (1).png". */
async function put(folder: string, wanted: string, bytes: Buffer, overwrite: boolean): Promise<string> {
  const { name: stem, ext } = parse(wanted);
  for (let attempt = 0, name = wanted; ; name = `${stem} (${++attempt})${ext}`) {
    const path = join(folder, name);
    const there = overwrite ? undefined : await readFile(path).catch(() => undefined);
    if (there?.equals(bytes)) return name;
    if (there !== undefined) continue;
    await writeFile(path, bytes);
    return name;
  }
}
