// What ComfyUI's wire can do, as ComfyUI's server says it at GET /features and on a socket.

import { MAX_ASSET_BYTES } from '../../core/limits.ts';

export interface Features {
  [feature: string]: boolean | number;
  /** Bytes; POST /upload/image takes as many. */
  max_upload_size: number;
}

export const FEATURES: Features = {
  supports_preview_metadata: true,
  max_upload_size: MAX_ASSET_BYTES,
  node_replacements: false,
  assets: false,
};
