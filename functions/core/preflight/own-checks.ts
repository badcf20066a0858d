// What ComfyUI's own nodes check themselves, in place of its rules for the inputs that they name: `GET /object_info` does not
// say so. What a custom node accepts, only its ComfyUI knows. Source: every VALIDATE_INPUTS of 0.33.0.

import type { ObjectInfo } from '../object-info.ts';
import { PythonError } from './answer.ts';
import { existsFile, type HasFile } from './files.ts';
import { isTruthy, str, typeName } from './python.ts';

type Values = Record<string, unknown>;

export interface OwnCheck {
  /** The inputs that it checks; ComfyUI's ranges and lists do not hold for them. */
  inputs: readonly string[] | 'all';
  /** An input without which Python cannot call it. */
  needs?: string;
  /** How Python names it in that error. */
  name?: string;
  /** Are the types of links left to it? */
  links?: true;
  /** @param given the inputs that it sees; a link is null. @returns what is wrong. @throws PythonError */
  check?(given: Values, hasFile: HasFile): string | undefined;
}

const file = (input: string, what: string, name: string): OwnCheck => ({
  inputs: [input],
  needs: input,
  name,
  check: (given, hasFile) =>
    exists(given[input], hasFile) ? undefined : `Invalid ${what} file: ${str(given[input])}`,
});

function exists(name: unknown, hasFile: HasFile): boolean {
  if (typeof name === 'string') return existsFile(name, hasFile);
  throw new PythonError('AttributeError', `'${typeName(name)}' object has no attribute 'endswith'`);
}

const image = file('image', 'image', 'LoadImage.VALIDATE_INPUTS');
const model3d: OwnCheck = {
  inputs: 'all',
  needs: 'model_file',
  check: ({ model_file: name }, hasFile) =>
    !isTruthy(name) || name === 'none' || exists(name, hasFile)
      ? undefined
      : `Invalid 3D model file: ${str(name)}`,
};
const device: OwnCheck = { inputs: ['device'] };

const CHECKS: Record<string, OwnCheck> = {
  LoadImage: image,
  LoadImageMask: image,
  LoadImageOutput: image,
  WebcamCapture: image,
  LoadLatent: file('latent', 'latent', 'LoadLatent.VALIDATE_INPUTS'),
  LoadVideo: file('file', 'video', 'LoadVideo.validate_inputs'),
  LoadAudio: file('audio', 'audio', 'LoadAudio.validate_inputs'),
  Load3D: model3d,
  Load3DAdvanced: model3d,
  ComfySoftSwitchNode: {
    inputs: ['switch', 'on_false', 'on_true'],
    needs: 'switch',
    check: (given) =>
      'on_false' in given || 'on_true' in given
        ? undefined
        : 'At least one of on_false or on_true must be connected to Switch node',
  },
  CustomCombo: { inputs: 'all', needs: 'choice' },
  SelectModelDevice: device,
  SelectCLIPDevice: device,
  SelectVAEDevice: device,
  ModelAttentionBackend: { inputs: ['attention'], needs: 'attention' },
  FluxProUltraImageNode: { inputs: ['aspect_ratio'] },
  TripoConversionNode: { inputs: [], links: true },
};

const UNKNOWN: OwnCheck = { inputs: 'all' };

/** Undefined: ComfyUI's rules hold for each input. */
export function ownCheckOf(classType: string, info: ObjectInfo): OwnCheck | undefined {
  if (Object.hasOwn(CHECKS, classType)) return CHECKS[classType];
  return isCustom(classType, info) ? UNKNOWN : undefined;
}

export function isCustom(classType: string, info: ObjectInfo): boolean {
  return info[classType]?.python_module?.startsWith('custom_nodes') === true;
}

/** @throws PythonError as Python does where an argument is not given */
export function runOwnCheck(
  classType: string,
  { needs, name, check }: OwnCheck,
  given: Values,
  hasFile: HasFile,
): string | undefined {
  if (needs !== undefined && !Object.hasOwn(given, needs))
    throw new PythonError(
      'TypeError',
      `${name ?? `${classType}.validate_inputs`}() missing 1 required positional argument: '${needs}'`,
    );
  return check?.(given, hasFile);
}
