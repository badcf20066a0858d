// What ComfyUI's wire can do, as ComfyUI's server says it at GET /features and on a socket.

import { MAX_ASSET_BYTES } from '../../core/limits.ts';

export type Features = Record<string, boolean | number>;

export const FEATURES: Features = {
  supports_preview_metadata: true,
  max_upload_size: MAX_ASSET_BYTES,
  node_replacements: false,
  assets: false,
};
