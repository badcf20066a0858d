// A rig for the tests of delivery: with a receiver, rounds at a time of one's choice, and jobs with a webhook.

import { randomBytes } from 'node:crypto';
import type { Delivery } from '../../functions/core/delivery.ts';
import { createLog } from '../../functions/log.ts';
import { resolveAsMachine } from '../../functions/outbound/address.ts';
import {
  createDeliverer,
  type DeliverDeps,
  type DeliverRound,
  type Round,
} from '../../functions/webhooks/deliver.ts';
import { createSend } from '../../functions/webhooks/send.ts';
import { call } from '../api/support.ts';
import { type Rig, type RigOptions, startRig } from '../support/rig.ts';
import { type Receiver, startReceiver } from './receiver.ts';

export interface DeliveryRig extends Rig {
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
}

export async function startDeliveryRig(options: Pick<RigOptions, 'onLog'> = {}): Promise<DeliveryRig> {
  const base = await startRig({
    ...options,
    forward: false,
    workflows: 'test/workflows',
    settings: { webhookAllowPrivate: true },
  });
  const receiver = await startReceiver();
  const lines: string[] = [];
  let passed = 0;
  const ledger = base.store.ledgers.of('webhooks');
  const send = createSend({ resolve: resolveAsMachine, allowPrivate: true, own: new Set(), limit: 1000 });
  const rig: DeliveryRig = {
    ...base,
    receiver,
    lines,
    deps: (more = {}) => ({
      jobs: base.store.jobs,
      deliveries: base.store.deliveries,
      webhookSecrets: base.store.webhookSecrets,
      images: base.images,
      send,
      log: createLog('webhooks', 'debug', (line) => lines.push(line)),
      now: () => base.store.now() + passed,
      ledger,
      random: randomBytes,
      ...more,
    }),
    deliverer: (more) => createDeliverer(rig.deps(more)),
    round: (more) => rig.deliverer(more)(),
    wait(ms) {
      passed += ms;
    },
    async cancelled(path = '/hook') {
      const jobId = await base.generate({ webhook_url: receiver.url + path });
      await call(base.app, `DELETE /api/queue/${jobId}`);
      return jobId;
    },
    listed: async (owner = 'local') => (await base.store.deliveries.listOwner(owner, 1000)).items,
    async close() {
      await receiver.close();
      await base.close();
    },
  };
  return rig;
}

/** In the outbox, by id. */
export async function outbox({ store }: Rig): Promise<string[]> {
  const found: string[] = [];
  for await (const page of store.jobs.listWebhookPending()) found.push(...page);
  return found;
}
