// POST /v1/images/edits: a generation whose workflow reads images that come with the call. They become uploads of their caller's, under
// the hash of their bytes, so that a repetition finds them again.

import type { Context } from 'hono';
import { hashBody } from '../../core/request.ts';
import type { Template } from '../../core/template.ts';
import { type InspectedImage, inspectUpload, storeUpload } from '../admission/upload-image.ts';
import type { ApiEnv } from '../deps.ts';
import { setHeaders } from '../http/headers.ts';
import { askedOf } from './asked.ts';
import { answerCall, type Call, type CallDeps } from './call.ts';
import { type EditForm, MAX_EDIT_BYTES, MAX_EDIT_IMAGES, readEditForm } from './edit-form.ts';
import { OpenAIError } from './errors.ts';
import type { FormRoom } from './form-room.ts';
import { modelOf } from './models.ts';

const invalid = OpenAIError.invalid;

export async function edits(deps: CallDeps & { formRoom: FormRoom }, c: Context<ApiEnv>): Promise<Response> {
  setHeaders(c, await deps.limits.request(c.get('caller')));
  const giveBack = deps.formRoom.take(lengthOf(c));
  let call: Call;
  try {
    call = await callOf(deps, c);
  } finally {
    giveBack();
  }
  return answerCall(deps, c, call);
}

/** Of a form that comes in chunks the most that it may have. */
function lengthOf(c: Context<ApiEnv>): number {
  const length = Number(c.req.header('content-length') ?? Number.NaN);
  return Number.isFinite(length) ? Math.min(length, MAX_EDIT_BYTES) : MAX_EDIT_BYTES;
}

/** Its images are stored when it is there. */
async function callOf(deps: CallDeps, c: Context<ApiEnv>): Promise<Call> {
  const caller = c.get('caller');
  const form = await readEditForm(c.req.raw);
  const { model } = form.fields;
  const template = modelOf(deps.workflows.templates, model ?? undefined, takesImages);
  const inputs = inputsFor(template, form);
  const asked = askedOf(template, form.fields);

  const images = new Map<string, InspectedImage>();
  for (const { input, param, bytes } of inputs) images.set(input, await inspectUpload(bytes, param));
  refuseOtherSize(inputs, images);
  for (const image of images.values()) await storeUpload(deps, caller, image);

  const names = Object.fromEntries([...images].map(([input, { name }]) => [input, name]));
  return {
    template,
    asked: { ...asked, jobs: asked.jobs.map((job) => ({ ...job, ...names })) },
    // Not of the form's bytes: each time it is sent it has another boundary.
    bodyHash: hashBody({ ...form.fields, images: names }),
    kind: 'image_edit',
  };
}

/** An input of the template, and the file for it. */
interface ImageInput {
  input: string;
  /** That it came in. */
  param: 'image' | 'mask';
  bytes: Uint8Array;
}

function takesImages(template: Template): boolean {
  return imageInputsOf(template).some((name) => !isMask(name));
}

function imageInputsOf({ inputs }: Template): string[] {
  return Object.entries(inputs).flatMap(([name, { type }]) => (type === 'image' ? [name] : []));
}

/** `mask`, `mask_image`, `face_mask`. */
function isMask(name: string): boolean {
  return name.split('_').includes('mask');
}

/** The images in the order of the template's inputs, without those that fields name. @throws OpenAIError */
function inputsFor(template: Template, { images, mask, fields }: EditForm): ImageInput[] {
  const free = imageInputsOf(template).filter((name) => fields[name] === undefined);
  const forImages = free.filter((name) => !isMask(name));
  if (!takesImages(template))
    throw invalid('model', 'unsupported_value', `is ${template.name}, which takes no image`);
  if (images.length === 0)
    throw invalid('image', 'missing_required_parameter', 'is required: a PNG, JPEG or WebP');
  const most = Math.min(forImages.length, MAX_EDIT_IMAGES);
  if (images.length > most)
    throw invalid('image', 'invalid_value', `may be ${most} files at most for the model ${template.name}`);
  const inputs: ImageInput[] = images.map((bytes, at) => ({ input: forImages[at]!, param: 'image', bytes }));
  if (!mask) return inputs;
  const forMask = free.find(isMask);
  if (forMask === undefined)
    throw invalid(
      'mask',
      'unsupported_parameter',
      `is not taken: the model ${template.name} has no input for one`,
    );
  return [...inputs, { input: forMask, param: 'mask', bytes: mask }];
}

function refuseOtherSize(inputs: readonly ImageInput[], images: ReadonlyMap<string, InspectedImage>): void {
  const mask = inputs.find(({ param }) => param === 'mask');
  if (!mask) return;
  const [is, must] = [images.get(mask.input)!, images.get(inputs[0]!.input)!];
  if (is.width === must.width && is.height === must.height) return;
  throw invalid(
    'mask',
    'invalid_value',
    `must have the size of the first image, ${must.width}x${must.height}; it has ${is.width}x${is.height}`,
  );
}
