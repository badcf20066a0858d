// Images that a job reads: one uploaded before, or one that the same owner made here.

import { imagesOf } from '../../core/job.ts';
import { invalid } from '../../core/inputs.ts';
import { uploadRenewal } from '../../core/limits.ts';
import { isUploadName, jobIdOfImage, keys } from '../../core/names.ts';
import { imageInputs, type Staging } from '../../core/render.ts';
import type { InputValues, Template } from '../../core/template.ts';
import { type ApiDeps, keepOf } from '../deps.ts';

/** Where the images lie that a job reads. @throws AppError invalid_field */
export async function findImages(
  deps: ApiDeps,
  owner: string,
  template: Template,
  values: InputValues,
): Promise<Staging[]> {
  return Promise.all(
    imageInputs(template, values).map(async ({ input, name, to }) => {
      const key = await keyOfImage(deps, owner, name);
      if (key) return { key, to };
      throw invalid(
        input,
        'must name an image that was uploaded here (POST /api/upload/image) or made here; there is none of this name',
      );
    }),
  );
}

async function keyOfImage(deps: ApiDeps, owner: string, name: string): Promise<string | undefined> {
  if (isUploadName(name))
    return (await keepUpload(deps, keys.upload(owner, name))) ? keys.upload(owner, name) : undefined;
  const jobId = jobIdOfImage(name);
  const state = jobId === undefined ? undefined : await deps.jobs.readState(jobId);
  const made = state?.owner === owner && imagesOf(state).some(({ filename }) => filename === name);
  return made ? keys.image(state.jobId, state.attempt, name) : undefined;
}

/** An upload expires by its age in the bucket: using it makes it young again. False: there is none. */
export async function keepUpload(deps: ApiDeps, key: string): Promise<boolean> {
  const { images, now } = deps;
  const head = await images.head(key);
  if (head && now() - head.lastModified.getTime() > uploadRenewal(keepOf(deps))) {
    const stored = await images.get(key);
    if (!stored || stored === 'not-modified') return false;
    const { body, contentType, contentLength } = stored;
    await images.put(key, body, { contentType, sizeBytes: contentLength });
  }
  return head !== undefined;
}
