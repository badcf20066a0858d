// The nodes that exist and the inputs that they accept: the recorded object_info of a real ComfyUI, and three more nodes.
// A class or a model file that was not recorded does not exist here.
import { readdir } from 'node:fs/promises';
import recorded08 from './recorded-0.8.json' with { type: 'json' };
import recorded033 from '../functions/comfyui/recorded-object-info.json' with { type: 'json' };
import more from './more-nodes.json' with { type: 'json' };

type InputOptions = Record<string, unknown> & { min?: number; max?: number | bigint; options?: unknown[] };
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

export interface DeclaredInput {
  name: string;
  required: boolean;
  config: InputConfig;
}

export const versions = ['0.33', '0.8'] as const;
export type Version = (typeof versions)[number];

const recordings = { '0.8': recorded08, '0.33': recorded033 };
/** The largest seed. In JavaScript the recorded number reads as one more. */
const largestSeed = 2n ** 64n - 1n;
const exact = (options: InputOptions = {}): InputOptions =>
  options.max === 2 ** 64 ? { ...options, max: largestSeed } : options;

function declare(info: NodeInfo): DeclaredInput[] {
  const one = (required: boolean, inputs: Record<string, RawInput> = {}) =>
    Object.entries(inputs).map(([name, [type, options]]): DeclaredInput => ({
      name,
      required,
      config: [type, exact(options)],
    }));
  return [...one(true, info.input.required), ...one(false, info.input.optional)];
}

/** What a class reads of the input folder: checked for existence, not against a list. */
export interface FileInput {
  field: string;
  /** As ComfyUI calls it where there is none. */
  kind: 'image' | 'audio' | 'video';
}
const FILE_INPUTS: Record<string, FileInput> = {
  LoadImage: { field: 'image', kind: 'image' },
  LoadImageMask: { field: 'image', kind: 'image' },
  LoadAudio: { field: 'audio', kind: 'audio' },
  LoadVideo: { field: 'file', kind: 'video' },
};
export const fileInputOf = (className: string): FileInput | undefined =>
  Object.hasOwn(FILE_INPUTS, className) ? FILE_INPUTS[className] : undefined;

export class Catalogue {
  readonly modelFolders: string[];
  readonly #classes: Map<string, NodeInfo>;
  readonly #declared: Map<string, DeclaredInput[]>;
  readonly #files: Record<string, string[]>;

  /** @param checkpoints files, beside the recorded ones; @param lacks classes that are not installed */
  constructor(version: Version, checkpoints: readonly string[], lacks: readonly string[]) {
    const all = structuredClone({ ...recordings[version], ...more }) as unknown as Record<string, NodeInfo>;
    const input = all['CheckpointLoaderSimple']!.input.required!['ckpt_name']!;
    input[0] = [...(input[0] as unknown[]), ...checkpoints];
    this.#classes = new Map(Object.entries(all).filter(([name]) => !lacks.includes(name)));
    this.#declared = new Map([...this.#classes].map(([name, info]) => [name, declare(info)]));
    this.modelFolders = foldersOf(version);
    this.#files = {
      checkpoints: this.#allowed('CheckpointLoaderSimple', 'ckpt_name'),
      loras: this.#allowed('LoraLoaderModelOnly', 'lora_name'),
      vae: this.#allowed('VAELoader', 'vae_name'),
      text_encoders: this.#allowed('CLIPLoader', 'clip_name'),
      diffusion_models: this.#allowed('UNETLoader', 'unet_name'),
      controlnet: this.#allowed('ControlNetLoader', 'control_net_name'),
      upscale_models: this.#allowed('UpscaleModelLoader', 'model_name'),
      model_patches: this.#allowed('ModelPatchLoader', 'name'),
    };
  }

  node(className: string): NodeInfo | undefined {
    return this.#classes.get(className);
  }
  isOutput(className: string): boolean {
    return this.#classes.get(className)?.output_node === true;
  }
  inputsOf(className: string): DeclaredInput[] {
    return this.#declared.get(className) ?? [];
  }
  /** Returns undefined if there is no such folder. */
  modelFiles(folder: string): string[] | undefined {
    return this.modelFolders.includes(folder) ? (this.#files[folder] ?? []) : undefined;
  }

  /** ComfyUI adds the node id to the cache key of nodes that ask for it. */
  wantsNodeId(className: string): boolean {
    const hidden = Object.values(this.#classes.get(className)?.input.hidden ?? {});
    return hidden.some((kind) => [kind].flat().includes('UNIQUE_ID'));
  }

  /** GET /object_info of one class, or of all: the recording, with the current files of the input folder. */
  async objectInfo(inputDirectory: string, className?: string): Promise<Record<string, NodeInfo>> {
    const all = [...this.#classes.keys()];
    const names = className === undefined ? all : all.filter((name) => name === className);
    const files = names.some((name) => fileInputOf(name)) ? await filesIn(inputDirectory) : [];
    return Object.fromEntries(
      names.map((name) => {
        const info = structuredClone(this.#classes.get(name)!);
        for (const inputs of [info.input.required, info.input.optional])
          for (const input of Object.values(inputs ?? {}))
            if (input[1] !== undefined) input[1] = exact(input[1]);
        const reads = fileInputOf(name);
        if (reads) list(info.input.required![reads.field]!, ofKind(files, reads.kind));
        return [name, info];
      }),
    );
  }

  #allowed(className: string, input: string): string[] {
    const config = this.inputsOf(className).find(({ name }) => name === input)?.config;
    const list = Array.isArray(config?.[0]) ? config[0] : (config?.[1].options ?? []);
    // VAELoader offers one choice that is not a file.
    return list.filter((name): name is string => typeof name === 'string' && name !== 'pixel_space');
  }
}

async function filesIn(inputDirectory: string): Promise<string[]> {
  const entries = await readdir(inputDirectory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

/** By their names, as ComfyUI lists them; LoadAudio takes the sound of a film. */
const NAMES: Record<FileInput['kind'], RegExp> = {
  image: /\.(png|jpe?g|webp|gif|bmp|tiff?)$/i,
  audio: /\.(flac|mp3|ogg|opus|wav|m4a|mp4|webm|mkv|mov|avi)$/i,
  video: /\.(mp4|webm|mkv|mov|avi)$/i,
};
const ofKind = (files: readonly string[], kind: FileInput['kind']) =>
  files.filter((name) => NAMES[kind].test(name));

/** In either of the spellings of a list. */
function list(input: RawInput, files: string[]): void {
  if (Array.isArray(input[0])) input[0] = files;
  else input[1]!.options = files;
}

/** In the order of GET /models. */
function foldersOf(version: Version): string[] {
  const newer = version !== '0.8';
  return (
    'checkpoints configs loras vae text_encoders diffusion_models clip_vision style_models embeddings diffusers ' +
    `vae_approx controlnet gligen upscale_models latent_upscale_models custom_nodes ${newer ? 'datasets ' : ''}` +
    'hypernetworks photomaker classifiers model_patches audio_encoders' +
    (newer ? ' background_removal frame_interpolation geometry_estimation optical_flow detection' : '')
  ).split(' ');
}
