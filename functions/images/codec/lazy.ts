// A codec that is loaded at the first image: no start and no cold start pays for it.

import type { Codec } from './order.ts';

/** @param program the path of thread.ts, bundled */
export function lazyCodec(program: string): Codec {
  let loading: Promise<Codec> | undefined;
  return {
    async convert(order, source) {
      loading ??= import('./codec.ts').then(({ createCodec }) => createCodec(program));
      return (await loading).convert(order, source);
    },
    close: async () => (await loading)?.close(),
  };
}
