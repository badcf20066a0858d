// A stand-in for the hub over real HTTP: a file's description by a redirect, its bytes by a second server, as the hub's
// storage does it. A test sets its state.

import { createHash } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

export interface StandInHub {
  url: string;
  files: Map<string, Buffer>;
  /** Sent instead of the true one. */
  sha256?: string;
  /** Only who has it is let in. */
  token?: string;
  /** The next answers with bytes are cut after so many. */
  cuts: number[];
  /** The next answer with bytes stops after so many, and stays open. */
  holdsAfter?: number | undefined;
  /** As they came: path, range, and the authorization that the storage saw. */
  asked: { method: string; path: string; range: string | undefined; storageSaw?: string | undefined }[];
  /** Lets a file's checksum be known or not, as with small files that are no LFS files. */
  tellsChecksum: boolean;
  close(): Promise<void>;
}

export const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** As the list of parts of a file has them. */
export function partsOf(bytes: Buffer, partBytes: number) {
  const parts = Array.from({ length: Math.ceil(bytes.length / partBytes) }, (_, n) =>
    sha256Of(bytes.subarray(n * partBytes, (n + 1) * partBytes)),
  );
  return { partBytes, parts };
}

export async function startStandInHub(files: Record<string, Buffer>): Promise<StandInHub> {
  const hub: StandInHub = {
    url: '',
    files: new Map(Object.entries(files)),
    cuts: [],
    asked: [],
    tellsChecksum: true,
    close: async () => {
      await Promise.all([api, storage].map(closeServer));
    },
  };

  const storage = createServer((req, res) => {
    const path = decodeURIComponent(req.url ?? '').slice(1);
    hub.asked.push({
      method: req.method ?? '',
      path,
      range: req.headers.range,
      storageSaw: req.headers.authorization,
    });
    const bytes = hub.files.get(path)!;
    const from = Number(/^bytes=(\d+)-$/.exec(req.headers.range ?? '')?.[1] ?? 0);
    const part = bytes.subarray(from);
    res.writeHead(req.headers.range === undefined ? 200 : 206, {
      'content-length': part.length,
      'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
    });
    if (hub.holdsAfter !== undefined) {
      res.write(part.subarray(0, hub.holdsAfter));
      hub.holdsAfter = undefined;
      return;
    }
    send(res, part, hub.cuts.shift());
  });

  const api = createServer((req, res) => {
    const [, repo, revision, path = ''] =
      /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(req.url ?? '') ?? [];
    const bytes = hub.files.get(path);
    if (hub.token !== undefined && req.headers.authorization !== `Bearer ${hub.token}`)
      return res.writeHead(401).end();
    if (repo === undefined || !bytes || (revision !== 'main' && revision !== COMMIT))
      return res.writeHead(404).end();
    hub.asked.push({ method: req.method ?? '', path, range: req.headers.range });
    res.writeHead(302, {
      location: `http://localhost:${(storage.address() as AddressInfo).port}/${path}`,
      'x-repo-commit': COMMIT,
      ...(hub.tellsChecksum && {
        'x-linked-size': String(bytes.length),
        'x-linked-etag': `"${hub.sha256 ?? sha256Of(bytes)}"`,
      }),
    });
    return res.end();
  });

  await Promise.all([api, storage].map(listen));
  hub.url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  return hub;
}

/** @param cut after so many bytes the connection is gone */
function send(res: ServerResponse, bytes: Buffer, cut: number | undefined): void {
  if (cut === undefined) return void res.end(bytes);
  // What was written is on its way before the cut: a FIN, not a reset that would take it back.
  res.flushHeaders();
  return void res.write(bytes.subarray(0, cut), () => res.socket?.end());
}

const listen = (server: Server) => new Promise<void>((resolve) => server.listen(0, resolve));

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
