// AWS's hourly list prices of the GPU hosts beside those of cdk.json, from which the costs of jobs are computed.
// Source: the Price List Query API, with the filters of karpenter-provider-aws (pkg/providers/pricing).

import { GetProductsCommand, PricingClient } from '@aws-sdk/client-pricing';
import * as z from 'zod';
import type { Deployment } from '../deployment.ts';
import { clientSettings } from './aws.ts';
import { type Finding, next, ok } from './check.ts';

/** One of the few regions with the Price List API, which lists the prices of all regions. */
const REGION = 'us-east-1';
/** Part of a price: smaller differences are rounding. */
const TOLERANCE = 0.001;

export async function prices(deployment: Deployment, region: string): Promise<Finding> {
  const { instanceTypes, usdPerHour } = deployment;
  const client = new PricingClient(clientSettings(REGION));
  const listed = await Promise.all(
    instanceTypes.map(async (type) => [type, await priceOf(client, type, region)] as const),
  );
  const known = listed.filter((one): one is [string, number] => one[1] !== undefined);
  const ours = usdPerHour[region] ?? {};
  const off = known.filter(([type, price]) => !isNear(ours[type], price));
  const unlisted = instanceTypes.filter((type) => !known.some(([one]) => one === type));
  const configured = instanceTypes.map((type) => `${type} ${dollars(ours[type])}`).join(', ');
  const without = unlisted.length > 0 ? `; AWS lists none for ${unlisted.join(', ')}` : '';
  if (off.length === 0) return ok(`an hour in ${region}: ${configured}${without}`);
  const right = JSON.stringify({ [region]: { ...ours, ...Object.fromEntries(known) } });
  return next(
    `an hour in ${region}: ${configured}; on AWS's list ${off.map(([type, price]) => `${type} ${dollars(price)}`).join(', ')}${without}`,
    `in cdk.json: "usdPerHour": ${right}`,
  );
}

const dollars = (price: number | undefined) => (price === undefined ? 'no price' : `$${price}`);

function isNear(ours: number | undefined, listed: number): boolean {
  return ours !== undefined && Math.abs(ours - listed) <= TOLERANCE * listed;
}

/** The fields of a product that are used. */
const product = z.object({
  terms: z.object({
    OnDemand: z.record(
      z.string(),
      z.object({
        priceDimensions: z.record(z.string(), z.object({ pricePerUnit: z.record(z.string(), z.string()) })),
      }),
    ),
  }),
});

/** US dollars per hour, Linux, on demand. @returns undefined if the type is not listed */
async function priceOf(client: PricingClient, type: string, region: string): Promise<number | undefined> {
  const isMetal = type.endsWith('.metal');
  const wanted = {
    regionCode: region,
    instanceType: type,
    operatingSystem: 'Linux',
    preInstalledSw: 'NA',
    capacitystatus: 'Used',
    marketoption: 'OnDemand',
    tenancy: isMetal ? 'Dedicated' : 'Shared',
    productFamily: isMetal ? 'Compute Instance (bare metal)' : 'Compute Instance',
  };
  const { PriceList = [] } = await client.send(
    new GetProductsCommand({
      ServiceCode: 'AmazonEC2',
      Filters: Object.entries(wanted).map(([Field, Value]) => ({ Type: 'TERM_MATCH', Field, Value })),
    }),
  );
  // Capacity blocks are listed too, at 0.
  return [...PriceList]
    .flatMap((text) => Object.values(product.parse(JSON.parse(String(text))).terms.OnDemand))
    .flatMap(({ priceDimensions }) => Object.values(priceDimensions))
    .map(({ pricePerUnit }) => Number(pricePerUnit['USD']))
    .find((price) => price > 0);
}
