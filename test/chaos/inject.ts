// Carries out a plan of faults on a deployment, and undoes each when its time is over.

import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultSwitches } from '../../simulated-comfyui/server.ts';
import type { ComfyUICommand } from './comfyui.ts';
import type { Fault, FaultKind } from './plan.ts';
import type { Deployment } from './deployment.ts';

const SWITCHES: Partial<Record<FaultKind, [on: Partial<FaultSwitches>, off: Partial<FaultSwitches>]>> = {
  'executor-hangs': [{ hangExecutor: true }, { hangExecutor: false }],
  'http-hangs': [{ hang: ['/queue', '/history', '/prompt', '/view'] }, { hang: [] }],
  'http-500': [
    { answer500: ['/queue', '/history', '/prompt', '/view', '/interrupt', '/jobs'] },
    { answer500: [] },
  ],
  'half-image': [{ halfImage: true }, { halfImage: false }],
  'socket-silent': [{ socketSilent: true }, { socketSilent: false }],
  'socket-cut': [{ socketCutAfter: 3 }, { socketCutAfter: null }],
  'socket-replays': [{ replaySocket: true }, { replaySocket: false }],
  'prompt-answer-lost': [{ losePromptAnswer: true }, { losePromptAnswer: false }],
  'history-held': [{ holdHistory: true }, { holdHistory: false }],
};

/** Resolves when the last fault is over and everything runs again. */
export async function inject(deployment: Deployment, faults: readonly Fault[]): Promise<void> {
  await Promise.all(
    faults.map(async (fault) => {
      await sleep(fault.at);
      const trouble = deployment.troubles.begin(fault.kind, fault.target);
      try {
        await carryOut(deployment, fault);
      } finally {
        deployment.troubles.end(trouble);
      }
    }),
  );
  await Promise.all([...deployment.processes.values()].map((process) => process.start()));
}

async function carryOut(deployment: Deployment, { kind, target, lasts }: Fault): Promise<void> {
  const process = deployment.processes.get(target);
  const command = (what: ComfyUICommand) => process?.send(what);
  const switches = SWITCHES[kind];
  if (switches) {
    command({ set: switches[0] });
    await sleep(lasts);
    command({ set: switches[1] });
  } else if (kind === 'kill' || kind === 'terminate') {
    // Before it is ready it has nothing to drain.
    if (kind === 'terminate') await process!.start();
    const ended = process!.end(kind === 'kill' ? 'SIGKILL' : 'SIGTERM');
    if ((await Promise.race([ended, sleep(12_000, 'stuck')])) === 'stuck') {
      deployment.ledger.violate('drain', `${target} did not end within 12 s of a SIGTERM`);
      await process!.end('SIGKILL');
    } else if (kind === 'terminate' && ![0, 130, 'SIGKILL'].includes(await ended))
      // Another fault may hit what drains for long.
      deployment.ledger.violate('drain', `${target} ended by a SIGTERM with ${await ended}`);
    await sleep(lasts);
    await process!.start();
  } else if (kind === 'kill-machine') {
    const comfyui = deployment.processes.get(target.replace('host', 'comfyui'))!;
    await Promise.all([process!.end('SIGKILL'), comfyui.end('SIGKILL')]);
    await sleep(lasts);
    await Promise.all([process!.start(), comfyui.start()]);
  } else if (kind === 'stop') {
    process!.signal('SIGSTOP');
    await sleep(lasts);
    process!.signal('SIGCONT');
  } else if (kind === 'suspend') {
    for (const one of deployment.processes.values()) one.signal('SIGSTOP');
    await sleep(lasts);
    for (const one of deployment.processes.values()) one.signal('SIGCONT');
  } else if (kind === 'second-host') {
    if (await deployment.intrude(target))
      deployment.ledger.violate('one host a machine', `a second process came up on ${target}`);
  } else if (kind === 'forget' || kind === 'interrupt') {
    command({ [kind]: true });
    await sleep(lasts);
  } else {
    // The proxies ask for it themselves.
    await sleep(lasts);
  }
}
