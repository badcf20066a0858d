// Owns what nodes exist and what they accept: the recorded object_info of a real 0.8.0, read only, and three more.
// Refuses to invent: a class or a model file that was not recorded does not exist here.
import { readdir } from 'node:fs/promises';
import recorded from '../../comfyui/recorded-object-info.json' with { type: 'json' };
import more from './more-nodes.json' with { type: 'json' };

type InputOptions = Record<string, unknown> & { min?: number; max?: number; options?: unknown[] };
/** A type name, or an old-style list of allowed values, with its options. */
export type InputConfig = [type: string | unknown[], options: InputOptions];
type RawInput = [string | unknown[], InputOptions?];

export interface NodeInfo {
  input: {
    required?: Record<string, RawInput>;
    optional?: Record<string, RawInput>;
    hidden?: Record<string, unknown>;
  };
  output: string[];
  output_node: boolean;
  [more: string]: unknown;
}

const classes = new Map(Object.entries({ ...recorded, ...more } as unknown as Record<string, NodeInfo>));

export const nodeInfo = (className: string): NodeInfo | undefined => classes.get(className);
export const isOutputNode = (className: string) => classes.get(className)?.output_node === true;

export interface DeclaredInput {
  name: string;
  required: boolean;
  config: InputConfig;
}

function declare(info: NodeInfo): DeclaredInput[] {
  const one = (required: boolean, inputs: Record<string, RawInput> = {}) =>
    Object.entries(inputs).map(([name, [type, options]]): DeclaredInput => ({
      name,
      required,
      config: [type, options ?? {}],
    }));
  return [...one(true, info.input.required), ...one(false, info.input.optional)];
}

const declared = new Map([...classes].map(([name, info]) => [name, declare(info)]));

export const declaredInputs = (className: string): DeclaredInput[] => declared.get(className) ?? [];

/** ComfyUI puts the node id into the cache key of nodes that ask for it. */
export function wantsNodeId(className: string): boolean {
  const hidden = Object.values(classes.get(className)?.input.hidden ?? {});
  return hidden.some((kind) => [kind].flat().includes('UNIQUE_ID'));
}

/** The classes whose `image` is a file of the input folder: checked for being there, not against a list. */
export const readsInputFolder = (className: string) =>
  className === 'LoadImage' || className === 'LoadImageMask';

/** One class, or all: the recording, with the input folder's files as they are now. */
export async function objectInfo(
  inputDirectory: string,
  className?: string,
): Promise<Record<string, NodeInfo>> {
  const names = className === undefined ? [...classes.keys()] : classes.has(className) ? [className] : [];
  const files = names.some(readsInputFolder) ? await imageFiles(inputDirectory) : [];
  return Object.fromEntries(
    names.map((name) => {
      const info = structuredClone(classes.get(name)!);
      if (readsInputFolder(name)) info.input.required!['image']![0] = files;
      return [name, info];
    }),
  );
}

async function imageFiles(inputDirectory: string): Promise<string[]> {
  const entries = await readdir(inputDirectory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(png|jpe?g|webp|gif|bmp|tiff?)$/i.test(entry.name))
    .map((entry) => entry.name)
    .sort();
}

function allowed(className: string, input: string): string[] {
  const config = declared.get(className)?.find(({ name }) => name === input)?.config;
  const list = Array.isArray(config?.[0]) ? config[0] : (config?.[1].options ?? []);
  // VAELoader offers one choice that is no file.
  return list.filter((name): name is string => typeof name === 'string' && name !== 'pixel_space');
}

const withFiles: Record<string, string[]> = {
  checkpoints: allowed('CheckpointLoaderSimple', 'ckpt_name'),
  loras: allowed('LoraLoaderModelOnly', 'lora_name'),
  vae: allowed('VAELoader', 'vae_name'),
  text_encoders: allowed('CLIPLoader', 'clip_name'),
  diffusion_models: allowed('UNETLoader', 'unet_name'),
  controlnet: allowed('ControlNetLoader', 'control_net_name'),
  upscale_models: allowed('UpscaleModelLoader', 'model_name'),
  model_patches: allowed('ModelPatchLoader', 'name'),
};

const folderNames = (
  'checkpoints configs loras vae text_encoders diffusion_models clip_vision style_models embeddings ' +
  'diffusers vae_approx controlnet gligen upscale_models latent_upscale_models custom_nodes hypernetworks ' +
  'photomaker classifiers model_patches audio_encoders'
).split(' ');

export const modelFolderNames = () => folderNames;
export const modelFiles = (folder: string): string[] | undefined =>
  folderNames.includes(folder) ? (withFiles[folder] ?? []) : undefined;
