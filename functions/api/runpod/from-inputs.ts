// A workflow by its name, with its inputs as fields of the run's input. Where an input takes a file, it takes its bytes too: as a
// data URI, or by the name of one of `images`.

import type { Caller } from '../../core/access.ts';
import { isFileType } from '../../core/file-types.ts';
import { invalid } from '../../core/inputs.ts';
import type { Wanted } from '../admission/accept.ts';
import { fromTemplate } from '../admission/from-template.ts';
import type { RunpodDeps } from './deps.ts';
import { DATA_URI, decodedImage, keepImage, type SentImage, sentImages } from './images.ts';

/** @throws AppError */
export async function fromInputs(
  deps: RunpodDeps,
  caller: Caller,
  { images, ...input }: Record<string, unknown>,
): Promise<Wanted> {
  const sent = await sentImages(images);
  const kept: SentImage[] = [];
  const named = new Set<string>();
  const body: [string, unknown][] = [];
  const template = deps.workflows.templates.get(String(input['workflow']));
  for (const [field, value] of Object.entries(input)) {
    const isFile =
      template && Object.hasOwn(template.inputs, field) && isFileType(template.inputs[field]!.type);
    const image = isFile
      ? (sent.find(({ name }) => name === value) ?? (await dataImage(field, value)))
      : undefined;
    if (image) {
      kept.push(image);
      named.add(image.name);
    }
    body.push([field, image ? image.upload : value]);
  }
  const unnamed = sent.findIndex(({ name }) => !named.has(name));
  if (unnamed >= 0)
    throw invalid(`input.images[${unnamed}].name`, 'is named by none of the fields beside it');
  // Not by assignment: a field may be `__proto__`, which is refused there.
  const wanted = fromTemplate(deps, caller, Object.fromEntries(body));
  return {
    ...wanted,
    async check(templates) {
      for (const image of kept) await keepImage(deps, caller, image);
      return wanted.check(templates);
    },
  };
}

async function dataImage(field: string, value: unknown): Promise<SentImage | undefined> {
  if (typeof value !== 'string' || !DATA_URI.test(value)) return undefined;
  return decodedImage(`input.${field}`, field, value);
}
