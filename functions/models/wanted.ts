// The model files that a fleet needs: each with its place on the hub and its folder in ComfyUI. The default has those of
// the shipped workflows. Sizes and checksums come from the hub when the bucket is filled.

import * as z from 'zod';
import { ModelsProblem } from './problem.ts';

const name = z.string().regex(/^[A-Za-z0-9][\w.-]{0,199}$/);

export const wantedSchema = z.object({
  licence: z.object({ name: z.string().min(1), url: z.url() }),
  files: z
    .array(
      z.object({
        folder: name,
        filename: name,
        repo: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
        revision: z.string().regex(/^[\w.-]+$/),
        path: z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/),
      }),
    )
    .min(1),
});

export type Wanted = z.infer<typeof wantedSchema>;
export type WantedFile = Wanted['files'][number];

const flux2 = (folder: string, filename: string): WantedFile => ({
  folder,
  filename,
  repo: 'Comfy-Org/flux2-dev',
  revision: 'main',
  path: `split_files/${folder}/${filename}`,
});

export const FLUX2: Wanted = {
  licence: {
    name: 'the FLUX non-commercial licence of Black Forest Labs',
    url: 'https://huggingface.co/black-forest-labs/FLUX.2-dev',
  },
  files: [
    flux2('diffusion_models', 'flux2_dev_fp8mixed.safetensors'),
    flux2('text_encoders', 'mistral_3_small_flux2_fp8.safetensors'),
    flux2('vae', 'flux2-vae.safetensors'),
    flux2('loras', 'Flux2TurboComfyv2.safetensors'),
  ],
};

/** Parses a person's own list. @param path for messages. @throws ModelsProblem that names the first wrong field */
export function parseWanted(text: string, path: string): Wanted {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ModelsProblem(`${path} is no JSON: ${(error as Error).message}`);
  }
  const parsed = wantedSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new ModelsProblem(
    `${path}: ${issue.path.join('.') || 'the list'}: ${issue.message}; it must be {"licence": {"name", "url"}, "files": [{"folder", "filename", "repo", "revision", "path"}]}`,
  );
}
