// Owns which ComfyUI is spoken: what is known of a version, asked for at the start.
// Refuses versions that were not recorded. What differs is told where it differs.
import { Catalogue, type Version } from './catalogue.ts';

export interface Dialect {
  version: Version;
  /** 0.33: what came between the two. */
  newer: boolean;
  catalogue: Catalogue;
  /** GET /features, and what a socket is answered that says its own. */
  features: object;
}

export function dialectOf(version: Version): Dialect {
  const newer = version !== '0.8';
  return {
    version,
    newer,
    catalogue: new Catalogue(version),
    features: {
      supports_preview_metadata: true,
      ...(newer && { supports_model_type_tags: true }),
      max_upload_size: 104_857_600,
      extension: { manager: { supports_v4: true } },
      ...(newer && { node_replacements: true, assets: false }),
    },
  };
}
