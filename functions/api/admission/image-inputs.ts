// Images that a job reads: one uploaded before, or one that the same owner made here.

import { imagesOf, type JobOutput, type JobState } from '../../core/job.ts';
import { invalid } from '../../core/inputs.ts';
import { uploadRenewal } from '../../core/limits.ts';
import { type InputKey, isUploadName, jobIdOfImage, keys } from '../../core/names.ts';
import { imageInputs, type Staging } from '../../core/render.ts';
import type { InputValues, Template } from '../../core/template.ts';
import { type ApiDeps, keepOf } from '../deps.ts';
import type { Uploads } from './uploads.ts';

/** Where the images lie that a job reads. @throws AppError invalid_field */
export async function findImages(
  deps: ApiDeps & { uploads: Uploads },
  owner: string,
  template: Template,
  values: InputValues,
): Promise<Staging[]> {
  return Promise.all(
    imageInputs(template, values).map(async ({ input, name, to }) => {
      const found = await findImage(deps, owner, name, input);
      if (found) return { ...found, to };
      throw invalid(
        input,
        'must name an image that was uploaded here (POST /api/upload/image) or made here; there is none of this name',
      );
    }),
  );
}

async function findImage(
  deps: ApiDeps & { uploads: Uploads },
  owner: string,
  name: string,
  input: string,
): Promise<InputKey | undefined> {
  if (isUploadName(name)) {
    const key = await deps.uploads.use(owner, name, input, 'image');
    return key === undefined ? undefined : { key };
  }
  const jobId = jobIdOfImage(name);
  const state = jobId === undefined ? undefined : await deps.jobs.readState(jobId);
  const made = state?.owner === owner ? imagesOf(state).find(({ filename }) => filename === name) : undefined;
  return state && made && inputOfOutput(state, made);
}

export function inputOfOutput({ jobId, attempt }: JobState, { filename, sha256 }: JobOutput): InputKey {
  return { key: keys.image(jobId, attempt, filename), ...(sha256 !== undefined && { sha256 }) };
}

/** An upload expires by its age in the bucket: using it makes it young again. False: there is none. */
export async function keepUpload(deps: ApiDeps, key: string): Promise<boolean> {
  const { images, now } = deps;
  const head = await images.head(key);
  if (head && now() - head.lastModified.getTime() > uploadRenewal(keepOf(deps))) return images.renew(key);
  return head !== undefined;
}
