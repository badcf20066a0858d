const DYING = new URL('lmdb.mjs', import.meta.url).href;

export function resolve(specifier, context, next) {
  return specifier === 'lmdb' && context.parentURL !== DYING
    ? { url: DYING, shortCircuit: true }
    : next(specifier, context);
}
