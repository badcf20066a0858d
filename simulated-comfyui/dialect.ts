// The simulated version of ComfyUI: what is known of a version, read at the start.
// Versions without a recording are refused. Each difference is described where it is implemented.
import { Catalogue, type Version } from './catalogue.ts';

export interface Dialect {
  version: Version;
  /** 0.33: has what changed between the two versions. */
  newer: boolean;
  catalogue: Catalogue;
  /** GET /features, and the answer to a socket that announces its own. */
  features: object;
}

export function dialectOf(
  version: Version,
  checkpoints: readonly string[] = [],
  lacks: readonly string[] = [],
): Dialect {
  const newer = version !== '0.8';
  return {
    version,
    newer,
    catalogue: new Catalogue(version, checkpoints, lacks),
    features: {
      supports_preview_metadata: true,
      ...(newer && { supports_model_type_tags: true }),
      max_upload_size: 104_857_600,
      extension: { manager: { supports_v4: true } },
      ...(newer && { node_replacements: true, assets: false }),
    },
  };
}
