// Model files on the hub, over HTTP: a file's size, SHA-256 and commit, and its bytes, resumed where a connection broke. It
// refuses a file for which the hub has no checksum.

import { ModelsProblem } from './problem.ts';
import type { WantedFile } from './wanted.ts';

export interface HubFile {
  sizeBytes: number;
  sha256: string;
  /** The commit, so that a later `main` does not change what is fetched. */
  revision: string;
}

export interface Hub {
  /** @throws ModelsProblem */
  describe(file: WantedFile): Promise<HubFile>;
  /** All bytes from `from` on, in order. @throws ModelsProblem when the connection breaks TRIES times without progress */
  read(file: WantedFile, about: HubFile, from?: number): AsyncGenerator<Uint8Array, void, undefined>;
}

export interface HubOptions {
  /** `https://huggingface.co` */
  url: string;
  token?: string | undefined;
  pause(attempt: number): Promise<void>;
  fetch?: typeof fetch;
}

const TRIES = 5;
const HEADERS_LIMIT = 60_000;

/** Retries 429, 5xx and broken connections, `TRIES` times, with `pause` in between. */
export function createHub({ url, token, pause, fetch: call = fetch }: HubOptions): Hub {
  const headers = {
    // The file's own bytes are counted and hashed.
    'accept-encoding': 'identity',
    'user-agent': 'comfyui-rest-api',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const addressOf = (file: WantedFile, revision: string) =>
    `${url}/${file.repo}/resolve/${revision}/${file.path}`;

  async function ask(address: string, init: RequestInit): Promise<Response> {
    for (let attempt = 0; ; attempt += 1) {
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(), HEADERS_LIMIT);
      try {
        const response = await call(address, { ...init, signal: limit.signal });
        if (response.status < 500 && response.status !== 429) return response;
        if (attempt >= TRIES - 1) return response;
        await response.body?.cancel();
      } catch (error) {
        if (attempt >= TRIES - 1)
          throw new ModelsProblem(`${new URL(address).host} does not answer: ${reasonOf(error)}; try again`);
      } finally {
        clearTimeout(timer);
      }
      await pause(attempt);
    }
  }

  function refuse(file: WantedFile, status: number): ModelsProblem {
    if (status === 401 || status === 403)
      return new ModelsProblem(
        `The hub refuses ${file.repo} (${status}): accept its terms at ${url}/${file.repo}, then give a token of that account by --token-parameter or HF_TOKEN`,
      );
    if (status === 404)
      return new ModelsProblem(
        `${file.repo} has no ${file.path} at ${file.revision}; correct the list of models`,
      );
    return new ModelsProblem(`The hub answers ${status} for ${file.repo}/${file.path}; try again later`);
  }

  return {
    async describe(file) {
      // The redirect has the headers; the storage behind it does not.
      const response = await ask(addressOf(file, file.revision), {
        method: 'HEAD',
        redirect: 'manual',
        headers,
      });
      if (response.status >= 400) throw refuse(file, response.status);
      const sha256 = /^(?:W\/)?"?([0-9a-f]{64})"?$/.exec(response.headers.get('x-linked-etag') ?? '')?.[1];
      const sizeBytes = Number(response.headers.get('x-linked-size') ?? '');
      const revision = response.headers.get('x-repo-commit') ?? '';
      if (sha256 === undefined || !(sizeBytes > 0) || !/^[0-9a-f]{40}$/.test(revision))
        throw new ModelsProblem(
          `The hub gives no checksum, size and commit for ${file.repo}/${file.path}; take it out of the list of models`,
        );
      return { sha256, sizeBytes, revision };
    },

    async *read(file, about, from = 0) {
      let at = from;
      let broken = 0;
      while (at < about.sizeBytes) {
        const response = await ask(addressOf(file, about.revision), {
          headers: { ...headers, range: `bytes=${at}-` },
        });
        if (response.status !== 206 && !(response.status === 200 && at === 0)) {
          await response.body?.cancel();
          throw response.status >= 400
            ? refuse(file, response.status)
            : new ModelsProblem(`The hub does not give ${file.filename} from byte ${at} on; try again`);
        }
        const before = at;
        try {
          for await (const piece of response.body!) {
            at += piece.length;
            if (at > about.sizeBytes) break;
            yield piece;
          }
        } catch (error) {
          if (at === before) broken += 1;
          else broken = 1;
          if (broken >= TRIES)
            throw new ModelsProblem(
              `${file.filename} broke off at byte ${at} of ${about.sizeBytes} (${reasonOf(error)}); run this again, what is complete is kept`,
            );
          await pause(broken);
          continue;
        }
        if (at === before) {
          broken += 1;
          if (broken >= TRIES) break;
          await pause(broken);
        }
      }
    },
  };
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return name === 'AbortError' ? 'it took too long' : (cause?.code ?? cause?.message ?? message);
}
