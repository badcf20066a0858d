// Images that a template's inputs name: uploaded before, made here by the same owner, or at an address.

import type { Caller } from '../../core/access.ts';
import { invalid } from '../../core/inputs.ts';
import { imagesOf } from '../../core/job.ts';
import { FETCHED_WITHIN } from '../../core/limits.ts';
import { type InputKey, isUploadName, jobIdOfImage } from '../../core/names.ts';
import { imageInputs, type Staging } from '../../core/render.ts';
import type { InputValues, Template } from '../../core/template.ts';
import type { ApiDeps } from '../deps.ts';
import { inputOfOutput } from './image-inputs.ts';
import type { Uploads } from './uploads.ts';
import { isAddress, type UrlInputs } from './url-inputs.ts';

/** Where an image is named by an address, the upload that it is from now on. @throws AppError input_not_fetched */
export async function fetchImages(
  { urlInputs }: { urlInputs: UrlInputs },
  caller: Caller,
  template: Template,
  values: InputValues,
): Promise<InputValues> {
  const signal = AbortSignal.timeout(FETCHED_WITHIN);
  const fetched: InputValues = { ...values };
  for (const { input, name } of imageInputs(template, values))
    if (isAddress(name)) fetched[input] = await urlInputs.take(caller, name, input, signal, 'image');
  return fetched;
}

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
        'must name an image that was uploaded here (POST /api/upload/image) or made here, or be an https address; there is none of this name',
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
