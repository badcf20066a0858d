// A new keyVersion, deployment by deployment: whatever CloudFront sends meanwhile, old or new, the function takes.

import type { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import type { Settings } from '../../infra/settings.ts';
import { type Resource, templatesWith } from './synth.ts';

interface Deployed {
  /** By the logical id of the secret, which is its identity from one deployment to the next. */
  sent: string;
  taken: (string | undefined)[];
  keys: (string | undefined)[];
  /** All that CloudFormation has updated before it updates the distribution. */
  before: Set<string>;
  api: string;
}

function deployed(changes: Partial<Record<keyof Settings, unknown>>): Deployed {
  const { compute } = templatesWith(changes);
  const only = (type: string, wanted: (resource: Resource) => boolean = () => true) =>
    Object.entries(compute.findResources(type) as Record<string, Resource>).find(([, one]) => wanted(one))!;
  const [distribution, { Properties: front }] = only('AWS::CloudFront::Distribution');
  const [api, { Properties }] = only(
    'AWS::Lambda::Function',
    (one) => one.Properties['FunctionName'] === 'comfyui-api',
  );
  const { Variables } = Properties['Environment'] as { Variables: Record<string, unknown> };
  const { Origins } = front['DistributionConfig'] as {
    Origins: [{ OriginCustomHeaders: [{ HeaderValue: unknown }] }];
  };
  return {
    sent: secretIn(Origins[0].OriginCustomHeaders[0].HeaderValue)!,
    taken: ['ORIGIN_SECRET', 'ORIGIN_SECRET_PREVIOUS'].map((name) => secretIn(Variables[name])),
    keys: ['API_KEY', 'API_KEY_PREVIOUS'].map((name) => secretIn(Variables[name])),
    before: dependenciesOf(compute, distribution),
    api,
  };
}

/** The logical id in a reference to a secret. */
function secretIn(value: unknown): string | undefined {
  return /"Ref":"(\w+)"\}?,":SecretString/.exec(JSON.stringify(value) ?? '')?.[1];
}

function dependenciesOf(template: Template, id: string, found = new Set<string>()): Set<string> {
  const resources = template.toJSON()['Resources'] as Record<string, Resource & { DependsOn?: string[] }>;
  const text = JSON.stringify(resources[id]);
  const named = [...text.matchAll(/"(?:Ref":|Fn::GetAtt":\[)"(\w+)"/g)].map(([, name]) => name!);
  for (const name of [...named, ...[resources[id]?.DependsOn ?? []].flat()])
    if (resources[name] && !found.has(name)) {
      found.add(name);
      dependenciesOf(template, name, found);
    }
  return found;
}

const first = deployed({});
const second = deployed({ keyVersion: 2 });
const settled = deployed({ keyVersion: 2, previousKey: 'refused' });
const third = deployed({ keyVersion: 3 });

test.each([
  ['1 to 2', first, second],
  ['2 to its own', second, settled],
  ['2 to 3', settled, third],
])('from %s no request is refused while CloudFront learns of it', (_, from, to) => {
  expect(to.taken).toContain(from.sent);
  expect(to.taken).toContain(to.sent);
  expect(to.before).toContain(to.api);
});

test('the key that callers have is taken until the setting says that it is refused', () => {
  expect(second.keys).toContain(first.keys[0]);
  expect(second.keys[0]).not.toBe(first.keys[0]);
  expect(settled.keys).toEqual([second.keys[0], undefined]);
  expect(settled.taken).toEqual([second.sent, undefined]);
});

test('the first deployment has no previous one', () => {
  expect([first.taken[1], first.keys[1]]).toEqual([undefined, undefined]);
});
