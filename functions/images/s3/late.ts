// A bucket's images whose client is loaded with the first that is put or read: the SDK's part for S3 is a quarter of what
// the API consists of, and most calls only sign links. A Lambda has it in a file of its own (build.mjs).

import type { Images } from '../images.ts';
import type { S3Settings } from './client.ts';
import { directoryOf } from './directory.ts';

export function createLateS3Images(bucket: string, settings: S3Settings): Images {
  let loading: Promise<Images> | undefined;
  const loaded = () =>
    (loading ??= import('./images.ts').then(({ openS3Images }) => openS3Images(bucket, settings)));

  return {
    outputDirectory: directoryOf(bucket),
    put: async (...asked) => (await loaded()).put(...asked),
    putOnce: async (...asked) => (await loaded()).putOnce(...asked),
    get: async (...asked) => (await loaded()).get(...asked),
    head: async (...asked) => (await loaded()).head(...asked),
    renew: async (...asked) => (await loaded()).renew(...asked),
    delete: async (...asked) => (await loaded()).delete(...asked),
    async *list(...asked) {
      yield* (await loaded()).list(...asked);
    },
    page: async (...asked) => (await loaded()).page(...asked),
  };
}
