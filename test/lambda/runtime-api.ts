// Lambda's Runtime API, small: hands events to the real runtime client, which runs a bundle as AWS does, and takes its
// answers, whole or streamed. Source: "Using the Lambda runtime API" in AWS Lambda's guide.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import { type Program, startCommand } from '../support/program.ts';

export interface InvocationError {
  errorType: string;
  errorMessage: string;
}

export type Answer =
  | { kind: 'value'; value: unknown }
  | { kind: 'error'; error: InvocationError }
  /** Begun: what was not read yet waits in the function. `trailers` when it is read to its end. */
  | { kind: 'stream'; contentType: string; body: AsyncIterable<Buffer>; trailers(): NodeJS.Dict<string> };

export interface Runtime {
  /** From the start of the process to its first request for an event, ms. Rejects when it could not be initialised. */
  ready: Promise<number>;
  /** One after the other, as one instance of a function is. @param timeout of the function, ms */
  invoke(event: unknown, timeout?: number): Promise<Answer>;
  program: Program;
  close(): Promise<void>;
}

interface Waiting {
  event: unknown;
  timeout: number;
  answer(answer: Answer): void;
}

/** @param directory of the bundle: `index.mjs` with the export `handler` */
export async function startRuntime(directory: string, environment: Record<string, string>): Promise<Runtime> {
  const queue: Waiting[] = [];
  const running = new Map<string, Waiting>();
  /** The client asks for its next event, and there is none. */
  let hungry: ServerResponse | undefined;
  let initialised: { resolve(ms: number): void; reject(error: Error): void };
  const ready = new Promise<number>((resolve, reject) => {
    initialised = { resolve, reject };
  });
  ready.catch(() => undefined);

  function feed(): void {
    if (!hungry || queue.length === 0) return;
    const next = queue.shift()!;
    const id = randomUUID();
    running.set(id, next);
    hungry.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': String(Date.now() + next.timeout),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-central-1:123456789012:function:test',
      'lambda-runtime-trace-id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0',
    });
    hungry.end(JSON.stringify(next.event));
    hungry = undefined;
  }

  async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const [, place, id, what] = /^\/2018-06-01\/runtime\/(invocation|init)(?:\/([^/]+))?\/(\w+)$/.exec(
      req.url ?? '',
    ) ?? [undefined, undefined, undefined, undefined];
    if (place === 'invocation' && what === 'next') {
      initialised.resolve(performance.now() - startedAt);
      hungry = res;
      return feed();
    }
    const done = () => res.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    if (place === 'init' && what === 'error') {
      const { errorMessage } = JSON.parse(await text(req)) as InvocationError;
      initialised.reject(new Error(errorMessage));
      return void done();
    }
    const waiting = running.get(id ?? '');
    if (!waiting) return void res.writeHead(404).end();
    running.delete(id!);
    if (what === 'error')
      waiting.answer({ kind: 'error', error: JSON.parse(await text(req)) as InvocationError });
    else if (req.headers['lambda-runtime-function-response-mode'] === 'streaming') {
      req.once('end', done);
      waiting.answer({
        kind: 'stream',
        contentType: req.headers['content-type'] ?? '',
        body: req,
        trailers: () => req.trailers,
      });
      return;
    } else waiting.answer({ kind: 'value', value: JSON.parse((await text(req)) || 'null') });
    done();
  }

  const server = createServer((req, res) => void take(req, res));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const startedAt = performance.now();
  const client = join(inject('runtimeClient'), 'index.mjs');
  const program = startCommand(
    process.execPath,
    [client],
    {
      PATH: process.env['PATH'] ?? '',
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      LAMBDA_TASK_ROOT: directory,
      _HANDLER: 'index.handler',
      AWS_LAMBDA_FUNCTION_NAME: 'test',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/test',
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/23/[$LATEST]0123456789abcdef0123456789abcdef',
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      ...environment,
    },
    directory,
  );
  let hasEnded = false;
  const gone = (): Answer => ({
    kind: 'error',
    error: { errorType: 'Runtime.ExitError', errorMessage: program.output() },
  });
  void program.ended.then((code) => {
    hasEnded = true;
    initialised.reject(new Error(`The runtime client ended with ${code}:\n${program.output()}`));
    for (const waiting of [...queue.splice(0), ...running.values()]) waiting.answer(gone());
  });
  return {
    ready,
    program,
    invoke: (event, timeout = 30_000) =>
      new Promise((answer) => {
        if (hasEnded) return answer(gone());
        queue.push({ event, timeout, answer });
        feed();
      }),
    async close() {
      program.stop();
      await program.ended;
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
