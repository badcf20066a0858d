// The assets table: what the Comfy API v2 calls an asset. Of an upload there is one item for each asset and one for the bytes,
// which counts the assets over them: the bytes go with the last. A count may be too high, after a process died between two
// writes or an asset expired by itself; then the bytes stay until they expire in the bucket.

import { ownerTag } from '../core/names.ts';
import { absent, type Engine, present, where } from './engine.ts';
import { assetsTable } from './tables.ts';

/** Times in ms. */
interface AssetBase {
  assetId: string;
  owner: string;
  createdAt: number;
  /** It is gone from then on, whether its item is or not. */
  validUntil: number;
}

export interface UploadAsset extends AssetBase {
  /** The name of the upload with its bytes. */
  upload: string;
  /** BLAKE3 of the bytes, hex; `sha256:<hex>` where no process of ours has read them all. */
  hash: string;
  sizeBytes: number;
  /** As the caller declared it. */
  contentType: string;
  filePath?: string;
}

/** An output of a job; everything else is the job's to say. */
export interface OutputAsset extends AssetBase {
  jobId: string;
  filename: string;
}

export type Asset = UploadAsset | OutputAsset;

/** The bytes of an owner's uploads by their hash. */
export interface Blob {
  upload: string;
  sizeBytes: number;
  /** They were there before the first asset: another than an asset may need them. */
  isShared?: boolean;
}

export type Assets = ReturnType<typeof createAssets>;

export function createAssets(engine: Engine) {
  const table = engine.table(assetsTable);
  const blobKey = (owner: string, hash: string) => ({ assetId: `blob#${ownerTag(owner)}#${hash}` });
  const second = (ms: number) => Math.ceil(ms / 1000);
  const readBlob = (owner: string, hash: string) => table.read<Blob & { refs: number }>(blobKey(owner, hash));

  return {
    /** Strongly consistent. Undefined: there is none, or its time is over. */
    async read(assetId: string, now: number): Promise<Asset | undefined> {
      const asset = await table.read<Asset>({ assetId });
      return asset && asset.validUntil > now ? asset : undefined;
    },

    /** @returns false: there is one of this id */
    putNew: (asset: Asset): Promise<boolean> =>
      table.put({ ...asset, expiresAt: second(asset.validUntil) }, [absent('assetId')]),

    /** In place of one over other bytes, or the same with more time. @param hash of the one before @returns false: it is another by now */
    replace: (asset: UploadAsset, hash: string): Promise<boolean> =>
      table.put({ ...asset, expiresAt: second(asset.validUntil) }, [where('hash', '=', hash)]),

    /** @returns false: there is none */
    remove: (assetId: string): Promise<boolean> => table.remove({ assetId }, [present('assetId')]),

    /** Strongly consistent. */
    readBlob,

    /** One more asset lies over these bytes. @param until ms; later than any of them lives */
    async refer(
      owner: string,
      hash: string,
      { upload, sizeBytes, isShared }: Blob,
      until: number,
    ): Promise<void> {
      await table.update(blobKey(owner, hash), {
        set: { upload, expiresAt: second(until) },
        setOnce: { sizeBytes, ...(isShared && { isShared }) },
        add: { refs: 1 },
      });
    },

    /** One asset less. @returns the bytes if none is left over them and they may go */
    async release(owner: string, hash: string): Promise<Blob | undefined> {
      const key = blobKey(owner, hash);
      const blob = await table.updateAndRead<Blob & { refs: number }>(key, {
        when: [present('assetId')],
        add: { refs: -1 },
      });
      if (!blob || blob.refs > 0) return undefined;
      // An asset that comes at this moment raises the count, and the bytes stay.
      const isLast = await table.remove(key, [where('refs', '<', 1)]);
      return isLast && !blob.isShared ? blob : undefined;
    },
  };
}
