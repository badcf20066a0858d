// A workflow by its name, with its inputs as fields of the run's input. Where an input takes an image, it takes its bytes too: as a
// data URI, or by the name of one of `images`.

import type { Caller } from '../../core/access.ts';
import { invalid } from '../../core/inputs.ts';
import type { Wanted } from '../admission/accept.ts';
import { fromTemplate } from '../admission/from-template.ts';
import type { RunpodDeps } from './deps.ts';
import { decodedImage, keepImage, type SentImage, sentImages } from './images.ts';

/** @throws AppError */
export async function fromInputs(
  deps: RunpodDeps,
  caller: Caller,
  { images, ...input }: Record<string, unknown>,
): Promise<Wanted> {
  const sent = await sentImages(images);
  const kept: SentImage[] = [];
  const named = new Set<string>();
  const body: Record<string, unknown> = {};
  const template = deps.workflows.templates.get(String(input['workflow']));
  for (const [field, value] of Object.entries(input)) {
    const isImage =
      template && Object.hasOwn(template.inputs, field) && template.inputs[field]!.type === 'image';
    const image = isImage
      ? (sent.find(({ name }) => name === value) ?? (await dataImage(field, value)))
      : undefined;
    if (image) {
      kept.push(image);
      named.add(image.name);
    }
    body[field] = image ? image.upload : value;
  }
  const unnamed = sent.findIndex(({ name }) => !named.has(name));
  if (unnamed >= 0)
    throw invalid(`input.images[${unnamed}].name`, 'is named by none of the fields beside it');
  const wanted = fromTemplate(deps, caller, body);
  return {
    ...wanted,
    async check(templates) {
      for (const image of kept) await keepImage(deps, caller, image);
      return wanted.check(templates);
    },
  };
}

async function dataImage(field: string, value: unknown): Promise<SentImage | undefined> {
  if (typeof value !== 'string' || !/^data:[^,]{0,100};base64,/i.test(value)) return undefined;
  return decodedImage(`input.${field}`, field, value);
}
