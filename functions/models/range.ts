// Reads a range of an object by a presigned link, over kept connections. HTTP/1.1 directly on sockets with one buffer each:
// Node's client makes 64 MB of garbage a thread and takes twice the CPU (docs/facts.md). Only answers with a range and a
// length are accepted; any other is a refusal and closes its connection.

import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** The server's answer is not the requested range. */
export class RangeRefused extends Error {
  override readonly name = 'RangeRefused';
  readonly status: number;
  /** S3's error code, such as `NoSuchKey`; may be empty. */
  readonly code: string;
  /** The object's size, where the range is outside of it. */
  readonly whole: number | undefined;
  constructor(status: number, code: string, whole?: number) {
    super(`${status} ${code}`);
    this.status = status;
    this.code = code;
    this.whole = whole;
  }
}

/** A connection that brings nothing for this long fails, ms. */
const SILENCE = 20_000;
const BUFFER = 256 * 1024;
const MOST_HEAD = 16 * 1024;

interface Reader {
  /** @returns whether the answer is complete */
  take(bytes: Buffer): boolean;
  /** The connection failed and is not used again. */
  fail(error: Error): void;
  done(): void;
}

interface Connection {
  ask(text: string, reader: Reader): void;
  end(): void;
}

const idle = new Map<string, Connection[]>();

/**
 * Reads bytes `from` to `to`, both included, in pieces; a piece is valid until `take` returns.
 * @param take an error that it throws ends the range
 * @returns the object's whole size. Rejects with RangeRefused, the connection's error or that of `take`
 */
export function readRange(
  url: string,
  [from, to]: [number, number],
  take: (piece: Buffer) => void,
  signal?: AbortSignal,
): Promise<number> {
  const { origin, host, pathname, search } = new URL(url);
  const connection = idle.get(origin)?.pop() ?? connect(new URL(origin));
  const answer = createAnswer(to - from + 1, take);
  return new Promise((resolve, reject) => {
    const stop = () => connection.end();
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    connection.ask(
      `GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nrange: bytes=${from}-${to}\r\n\r\n`,
      {
        take: answer.take,
        fail(error) {
          signal?.removeEventListener('abort', stop);
          reject(answer.refusal() ?? error);
        },
        done() {
          signal?.removeEventListener('abort', stop);
          if (answer.keepsAlive()) idle.set(origin, [...(idle.get(origin) ?? []), connection]);
          else connection.end();
          resolve(answer.size());
        },
      },
    );
  });
}

function connect({ protocol, hostname, port }: URL): Connection {
  const buffer = Buffer.allocUnsafeSlow(BUFFER);
  let reader: Reader | undefined;
  let broken: Error | undefined;
  function fail(error: Error): void {
    broken ??= error;
    socket.destroy();
    const failed = reader;
    reader = undefined;
    failed?.fail(broken);
  }
  function callback(length: number): boolean {
    try {
      if (!reader) fail(new Error('an answer to nothing'));
      else if (reader.take(buffer.subarray(0, length))) {
        const { done } = reader;
        reader = undefined;
        done();
      }
    } catch (error) {
      fail(error as Error);
    }
    return true;
  }
  const isTls = protocol === 'https:';
  const place = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || (isTls ? 443 : 80)),
    onread: { buffer, callback },
  };
  const socket = isTls ? connectTls(place) : connectPlain(place);
  socket.setTimeout(SILENCE, () => fail(new Error(`nothing came for ${SILENCE / 1000} s`)));
  socket.once('error', fail);
  socket.once('close', () => fail(new Error('the connection was closed')));
  return {
    ask(text, asking) {
      if (broken) return asking.fail(broken);
      reader = asking;
      return void socket.write(text);
    },
    end: () => fail(new Error('the connection was ended')),
  };
}

function createAnswer(wanted: number, take: (piece: Buffer) => void) {
  let head = '';
  let text = '';
  let status = 0;
  let whole: number | undefined;
  let length = Number.NaN;
  let left = wanted;

  /** @returns the bytes after the head; undefined: the head is incomplete */
  function readHead(bytes: Buffer): Buffer | undefined {
    const before = head.length;
    head += bytes.toString('latin1');
    const end = head.indexOf('\r\n\r\n');
    if (end < 0 && head.length > MOST_HEAD) throw new Error('the head of the answer is too long');
    if (end < 0) return undefined;
    head = head.slice(0, end + 2);
    status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? Number.NaN);
    const [, size] = /\r\ncontent-range: bytes [\d*-]+\/(\d+)\r\n/i.exec(head) ?? [];
    if (size !== undefined) whole = Number(size);
    length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? Number.NaN);
    return bytes.subarray(end + 4 - before);
  }
  const isRange = () => status === 206 && whole !== undefined && length === wanted;

  return {
    take(bytes: Buffer): boolean {
      const body = status === 0 ? readHead(bytes) : bytes;
      if (!body) return false;
      if (!isRange()) {
        text += body.toString('latin1');
        if (status === 206 || text.length >= length || text.length > MOST_HEAD || text.includes('</Error>'))
          throw new Error('it was refused');
        return false;
      }
      left -= body.length;
      if (left < 0) throw new Error('more bytes came than were asked for');
      if (body.length > 0) take(body);
      return left === 0;
    },
    /** Undefined: the server did not refuse. */
    refusal(): RangeRefused | undefined {
      if (status === 0 || isRange()) return undefined;
      const size = /<ActualObjectSize>(\d+)</.exec(text)?.[1];
      const code = /<Code>(\w+)</.exec(text)?.[1] ?? '';
      return new RangeRefused(status, code, size === undefined ? whole : Number(size));
    },
    keepsAlive: () => !/\r\nconnection: close\r\n/i.test(head),
    size: () => whole!,
  };
}
