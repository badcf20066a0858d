// What the tests of delivery share: the product with a receiver, rounds at a time of one's choice, jobs with a webhook.

import { randomBytes } from 'node:crypto';
import type { Delivery } from '../../functions/core/delivery.ts';
import { createLog } from '../../functions/log.ts';
import { resolveAsMachine } from '../../functions/webhooks/address.ts';
import {
  createDeliverer,
  type DeliverDeps,
  type DeliverRound,
  type Round,
} from '../../functions/webhooks/deliver.ts';
import { createSend } from '../../functions/webhooks/send.ts';
import { call } from '../api/support.ts';
import { type Rig, startRig } from '../support/rig.ts';
import { type Receiver, startReceiver } from './receiver.ts';

export interface Stage {
  rig: Rig;
  receiver: Receiver;
  /** Structured lines of the rounds. */
  lines: string[];
  deps(more?: Partial<DeliverDeps>): DeliverDeps;
  /** What makes rounds, and remembers from one to the next. */
  deliverer(more?: Partial<DeliverDeps>): DeliverRound;
  /** One, by somebody who remembers nothing. */
  round(more?: Partial<DeliverDeps>): Promise<Round>;
  /** Time passes for the rounds, ms. */
  wait(ms: number): void;
  /** A job that was cancelled at once; its id. */
  cancelled(path?: string): Promise<string>;
  /** All that there are of an owner, newest first. */
  listed(owner?: string): Promise<Delivery[]>;
  close(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  const rig = await startRig({
    forward: false,
    workflows: 'test/workflows',
    settings: { webhookAllowPrivate: true },
  });
  const receiver = await startReceiver();
  const lines: string[] = [];
  let passed = 0;
  const send = createSend({ resolve: resolveAsMachine, allowPrivate: true, own: new Set(), limit: 1000 });
  const stage: Stage = {
    rig,
    receiver,
    lines,
    deps: (more = {}) => ({
      jobs: rig.store.jobs,
      deliveries: rig.store.deliveries,
      webhookSecrets: rig.store.webhookSecrets,
      send,
      log: createLog('webhooks', 'debug', (line) => lines.push(line)),
      now: () => rig.store.now() + passed,
      random: randomBytes,
      ...more,
    }),
    deliverer: (more) => createDeliverer(stage.deps(more)),
    round: (more) => stage.deliverer(more)(),
    wait(ms) {
      passed += ms;
    },
    async cancelled(path = '/hook') {
      const jobId = await rig.generate({ webhook_url: receiver.url + path });
      await call(rig.app, `DELETE /api/queue/${jobId}`);
      return jobId;
    },
    listed: async (owner = 'local') => (await rig.store.deliveries.listOwner(owner, 1000)).items,
    async close() {
      await receiver.close();
      await rig.close();
    },
  };
  return stage;
}

/** In the outbox, by id. */
export async function outbox({ store }: Rig): Promise<string[]> {
  const found: string[] = [];
  for await (const page of store.jobs.listWebhookPending()) found.push(...page);
  return found;
}
