// What may stand between a host and its ComfyUI, and answer in its place: a proxy, or ComfyUI's own bad moment.

import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { TIMINGS } from '../../functions/core/timings.ts';
import { type SimulatedComfyUI, startSimulatedComfyUI } from '../../simulated-comfyui/server.ts';
import { listenOn } from './listen-on.ts';
import { type Rig, startRig } from './rig.ts';

export interface Between {
  /** As the simulated one, at the address of what stands before it. */
  comfyui: SimulatedComfyUI;
  /**
   * Asked at every request. False: it is passed on; `body` is what was sent. What it answers itself, it answers.
   */
  answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => boolean;
  close(): Promise<void>;
}

async function standBetween(comfyui: SimulatedComfyUI): Promise<Between> {
  const between = { answer: () => false } as unknown as Between;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      if (between.answer(request, response, body)) return;
      const onward = httpRequest(
        comfyui.url + (request.url ?? '/'),
        { method: request.method, headers: request.headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      onward.on('error', () => response.destroy());
      onward.end(body);
    });
  });
  server.on('upgrade', (request, socket, head) => {
    const { hostname, port } = new URL(comfyui.url);
    const onward = connect(Number(port), hostname, () => {
      const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`);
      onward.write(`GET ${request.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  const url = await listenOn(server);
  between.comfyui = Object.create(comfyui, { url: { value: url } }) as SimulatedComfyUI;
  between.close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return between;
}

export interface RigBetween extends Rig {
  simulated: SimulatedComfyUI;
  between: Between;
}

/** A rig without hosts, and what stands before the simulated ComfyUI of the host that a test adds. */
export async function startBetween(timings = TIMINGS): Promise<RigBetween> {
  const rig = await startRig({ workflows: 'test/workflows', timings });
  const simulated = await startSimulatedComfyUI({ stepMs: 5 });
  const between = await standBetween(simulated);
  return {
    ...rig,
    simulated,
    between,
    async close() {
      between.answer = () => false;
      await rig.close();
      await between.close();
      await simulated.close();
    },
  };
}
