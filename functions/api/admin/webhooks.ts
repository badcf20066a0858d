// The webhooks of all owners. Each state has an index that has little else in it; one that was delivered, and an owner's among
// all that are to be sent or were given up, are found by looking at a bounded number of rows.

import { type Delivery, type DeliveryState, deliveryView, stateOf } from '../../core/delivery.ts';
import type { Deliveries, ListedDelivery } from '../../store/deliveries.ts';
import type { Page as RowPage } from '../../store/page.ts';
import { json } from '../http/answers.ts';
import { choice, cursorOf, ownerName, page, text } from '../http/parameters.ts';
import { route } from '../http/route.ts';
import type { AdminDeps } from './deps.ts';

/** As many as one BatchGet reads. */
const READ_AT_ONCE = 100;
/** Rows that one page looks at: a read unit for each, an eighth of a thousandth of a dollar. */
const READ_AT_MOST = 1000;

/** A decoded cursor: a place by time, or among those to be sent or given up. */
const PLACE = /^\d{13}#[0-9a-f-]{36}(?:#[0-9a-f]{16}#[0-9a-f]{16})?$/;

const STATES: readonly DeliveryState[] = ['pending', 'delivered', 'failed'];

const named = text({ name: 'owner', in: 'query', description: 'Whose; else everybody’s' });
const owner: typeof named = {
  ...named,
  read(c) {
    const given = named.read(c);
    return given === undefined ? undefined : ownerName(given);
  },
};

export function webhookRoutes({ deliveries }: Pick<AdminDeps, 'deliveries'>) {
  return [
    route(
      {
        route: 'GET /admin/webhooks',
        id: 'adminWebhooks',
        tag: 'Operations',
        summary: 'Deliveries of webhooks, of all owners',
        description: '`POST /api/webhooks/<id>/redeliver` sends one again.',
        scope: 'admin',
        parameters: {
          owner,
          state: choice(
            { name: 'state', in: 'query', description: 'failed: given up after 24 hours' },
            STATES,
          ),
          ...page(PLACE),
        },
        answers: { 200: json('A page of deliveries', 'OwnersWebhooks') },
        errors: ['invalid_field'],
      },
      async (_, { limit, cursor, ...wanted }) => {
        const found = await pageOf(deliveries, wanted, { limit, behind: cursor });
        return {
          webhooks: found.deliveries.map((one) => ({ ...deliveryView(one), owner: one.owner })),
          next_cursor: cursorOf(found.next),
        };
      },
    ),
  ];
}

interface Wanted {
  owner: string | undefined;
  state: DeliveryState | undefined;
}

interface Found {
  deliveries: Delivery[];
  /** Where the next page begins; undefined: this is the last. */
  next?: string;
}

async function pageOf(
  deliveries: Deliveries,
  wanted: Wanted,
  { limit, behind }: { limit: number; behind: string | undefined },
): Promise<Found> {
  const found: Delivery[] = [];
  let place = behind;
  for (let looked = 0; looked < READ_AT_MOST;) {
    const missing = limit - found.length;
    const asked = wanted.state === undefined ? Math.min(missing, READ_AT_MOST - looked) : READ_AT_ONCE;
    const rows = await rowsOf(deliveries, wanted, asked, place);
    looked += asked;
    const meant = new Map(
      (await deliveries.readListed(rows.items))
        .filter((one) => isMeant(one, wanted))
        .map((one) => [one.deliveryId, one]),
    );
    for (const { deliveryId, place: here } of rows.items) {
      const one = meant.get(deliveryId);
      if (!one) continue;
      found.push(one);
      if (found.length < limit) continue;
      const isLast = rows.cursor === undefined && deliveryId === rows.items.at(-1)!.deliveryId;
      return { deliveries: found, ...(!isLast && { next: here }) };
    }
    place = rows.cursor;
    if (place === undefined) return { deliveries: found };
  }
  return { deliveries: found, next: place! };
}

function rowsOf(
  deliveries: Deliveries,
  { owner: name, state }: Wanted,
  limit: number,
  behind: string | undefined,
): Promise<RowPage<ListedDelivery>> {
  if (state === 'pending') return deliveries.rowsOf('due', name, limit, behind);
  if (state === 'failed') return deliveries.rowsOf('gave-up', name, limit, behind);
  return deliveries.rows(name, limit, behind);
}

/** An index may be a moment behind, and a row has no more than a tag of its owner. */
function isMeant(delivery: Delivery, { owner: name, state }: Wanted): boolean {
  return (
    (name === undefined || delivery.owner === name) && (state === undefined || stateOf(delivery) === state)
  );
}
