// Passes HTTP on, byte for byte, and cuts or damages the answers to GETs where a test wants it.

import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CuttingProxy {
  url: string;
  /** The next answers to GETs with a range are cut after so many bytes of their body. */
  cuts: number[];
  /** Methods and paths, as they came. */
  seen: string[];
  /** In the next answers to GETs with a range the byte at this place is another. */
  damages: number[];
  close(): Promise<void>;
}

export async function startCuttingProxy(port: number): Promise<CuttingProxy> {
  const server = createServer((req, res) => {
    proxy.seen.push(`${req.method} ${req.url}`);
    const onward = request(
      { host: '127.0.0.1', port, method: req.method, path: req.url, headers: req.headers, agent: false },
      (answer) => {
        const isRange = req.method === 'GET' && req.headers.range !== undefined;
        const cut = isRange ? proxy.cuts.shift() : undefined;
        const damaged = isRange && cut === undefined ? proxy.damages.shift() : undefined;
        res.writeHead(answer.statusCode ?? 500, answer.headers);
        let passed = 0;
        if (damaged !== undefined) {
          answer.on('data', (piece: Buffer) => {
            const at = damaged - passed;
            passed += piece.length;
            if (at >= 0 && at < piece.length) piece[at] = piece[at]! ^ 1;
            res.write(piece);
          });
          answer.on('end', () => res.end());
          return;
        }
        if (cut === undefined) {
          answer.pipe(res);
          return;
        }
        answer.on('data', (piece: Buffer) => {
          if (passed >= cut) return;
          res.write(piece.subarray(0, cut - passed));
          passed += piece.length;
        });
        answer.on('end', () => res.destroy());
      },
    );
    onward.on('error', () => res.destroy());
    req.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: [],
    seen: [],
    damages: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
