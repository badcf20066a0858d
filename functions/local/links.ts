// Presigned links to the API's own port: served from the embedded bucket, within the budget of readers (http/readers.ts).

import type { RequestListener } from 'node:http';
import { problem } from '../api/http/problems.ts';
import { type Readers, tooManyReaders } from '../api/http/readers.ts';
import type { EmbeddedS3 } from './embedded-s3/server.ts';

/** Links carry no owner: all their readers count as one owner, so that they do not take the places of others. */
const BY_LINK = 'by link';

export function linksBefore(api: RequestListener, s3: EmbeddedS3, readers: Readers): RequestListener {
  return (req, res) => {
    if (!s3.isPresignedRead(req)) {
      api(req, res);
      return;
    }
    res.setHeader('X-Content-Type-Options', 'nosniff');
    const reader = readers.take(BY_LINK, () => req.socket.resetAndDestroy());
    if (!reader) {
      const { status, headers, body } = problem('too_many_readers', tooManyReaders().message);
      res.writeHead(status, { 'content-type': 'application/json', ...headers });
      res.end(JSON.stringify(body));
      return;
    }
    res.on('drain', reader.moved);
    res.once('close', reader.free);
    void s3.handle(req, res);
  };
}
