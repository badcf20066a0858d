// Files that a template's inputs name: uploaded before, made here by the same owner, or at an address.

import type { Caller } from '../../core/access.ts';
import { FILE_WORDS, type FileType, takesKind } from '../../core/file-types.ts';
import { invalid } from '../../core/inputs.ts';
import { kindOfOutput } from '../../core/job-output.ts';
import { FETCHED_WITHIN } from '../../core/limits.ts';
import { type InputKey, isUploadName, jobIdOfImage } from '../../core/names.ts';
import { namedFiles, type Staging } from '../../core/render.ts';
import type { InputValues, Template } from '../../core/template.ts';
import type { ApiDeps } from '../deps.ts';
import { inputOfOutput } from './image-inputs.ts';
import type { Uploads } from './uploads.ts';
import type { UrlInputs } from './url-inputs.ts';

const isAddress = (value: string) => /^https?:\/\//i.test(value);

/** Where a file is named by an address, the upload that it is from now on. @throws AppError input_not_fetched */
export async function fetchFiles(
  { urlInputs }: { urlInputs: UrlInputs },
  caller: Caller,
  template: Template,
  values: InputValues,
): Promise<InputValues> {
  const signal = AbortSignal.timeout(FETCHED_WITHIN);
  const fetched: InputValues = { ...values };
  for (const { input, type, name } of namedFiles(template, values))
    if (isAddress(name)) fetched[input] = await urlInputs.take(caller, name, input, signal, type);
  return fetched;
}

/** Where the files lie that a job reads. @throws AppError invalid_field */
export async function findFiles(
  deps: ApiDeps & { uploads: Uploads },
  owner: string,
  template: Template,
  values: InputValues,
): Promise<Staging[]> {
  return Promise.all(
    namedFiles(template, values).map(async ({ input, type, name, to }) => {
      const found = await findFile(deps, owner, { name, input, type });
      if (found) return { ...found, to };
      throw invalid(
        input,
        `must name ${FILE_WORDS[type]} that was uploaded here (POST ${type === 'image' ? '/api/upload/image' : '/api/upload/link'}) or made here, or be an https address; there is none of this name`,
      );
    }),
  );
}

async function findFile(
  deps: ApiDeps & { uploads: Uploads },
  owner: string,
  { name, input, type }: { name: string; input: string; type: FileType },
): Promise<InputKey | undefined> {
  if (isUploadName(name)) {
    const key = await deps.uploads.use(owner, name, input, type);
    return key === undefined ? undefined : { key };
  }
  const jobId = jobIdOfImage(name);
  const state = jobId === undefined ? undefined : await deps.jobs.readState(jobId);
  const made = state?.owner === owner ? state.outputs?.find(({ filename }) => filename === name) : undefined;
  if (!state || !made) return undefined;
  if (!takesKind(type, kindOfOutput(made)))
    throw invalid(input, `must name ${FILE_WORDS[type]}; this output is ${made.contentType}`);
  return inputOfOutput(state, made);
}
