// Which errors CloudFront keeps, under which key and for how long, with a cache policy that keeps nothing else. Source:
// "Control how long CloudFront caches errors" and "How CloudFront processes HTTP 4xx and 5xx status codes from your origin"
// in CloudFront's developer guide, read in November 2026.

/** Where nothing else is said, ms. */
const DEFAULT_TTL = 10_000;
const ALWAYS = new Set([404, 405, 410, 414, 500, 501, 502, 503, 504]);
/** Only with a lifetime; the policy's longest is none. */
const WITH_LIFETIME = new Set([400, 403, 412, 415]);
/** Of these alone `no-store`, `no-cache` and `private` are heard. */
const HEARD = new Set([404, 410, 414, 501]);

export interface Kept {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

export interface KeptErrors {
  find(method: string, path: string): Kept | undefined;
  /** How long it would be kept, ms; 0: not at all. */
  ttlOf(method: string, answer: Omit<Kept, 'body'>): number;
  keep(path: string, answer: Kept, ttl: number): void;
}

/** @param errorTtl of the distribution, by status, ms; @param now ms */
export function keptErrors(errorTtl: ReadonlyMap<number, number>, now: () => number = Date.now): KeptErrors {
  const kept = new Map<string, { answer: Kept; until: number }>();
  const isCached = (method: string) => method === 'GET' || method === 'HEAD';
  return {
    // The key has neither the query nor any header: GET and HEAD share it, and so do all callers.
    find(method, path) {
      const found = isCached(method) ? kept.get(path) : undefined;
      return found && now() < found.until ? found.answer : undefined;
    },
    ttlOf(method, { status, headers }) {
      const control = headers['cache-control'] ?? '';
      if (!isCached(method)) return 0;
      if (HEARD.has(status) && /\b(no-store|no-cache|private)\b/.test(control)) return 0;
      const isKept =
        ALWAYS.has(status) || (WITH_LIFETIME.has(status) && /\b(s-maxage|max-age)=/.test(control));
      return isKept ? (errorTtl.get(status) ?? DEFAULT_TTL) : 0;
    },
    keep(path, answer, ttl) {
      kept.set(path, { answer, until: now() + ttl });
    },
  };
}
