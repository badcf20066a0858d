// What moto does not have (the Free Tier, prices, public parameters, stacks that failed) or gets wrong (Service Quotas,
// Lambda's account settings), over real HTTP: an account that a test turns. Parameters that are the account's own are
// moto's. Source of the answers: the API references of the services, and what others recorded.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeAccount {
  url: string;
  /** By quota code; absent: never changed. */
  quotas: Record<string, number>;
  requests: { Id: string; QuotaCode: string; DesiredValue: number; Status: string }[];
  concurrency: number;
  /** Undefined: an account that has none. */
  plan: { accountPlanType: string; accountPlanStatus: string; [more: string]: unknown } | undefined;
  /** By instance type, in us-east-1. */
  prices: Record<string, number>;
  /** AWS's own, by name. */
  parameters: Record<string, string>;
  /** By instance type that the region has. */
  vcpus: Record<string, number>;
  /** By stack: its status, and its events from the newest. */
  stacks: Record<string, { status: string; events: [id: string, status: string, reason?: string][] }>;
  /** Whose signatures the Free Tier was asked with. */
  signed: string[];
  /** Answers nothing. */
  silent: boolean;
  refuses: boolean;
  close(): Promise<void>;
}

interface Body {
  QuotaCode?: string;
  Name?: string;
  Filters?: { Field: string; Value: string }[];
}

/** Of all stacks. */
const OUTPUTS = ['TablePrefix', 'ModelsBucket', 'AutoScalingGroup', 'Url', 'ApiKeyCommand'];

/** @param moto where parameters of the account's own are */
export async function startFakeAccount(moto: string): Promise<FakeAccount> {
  const account: FakeAccount = {
    url: '',
    quotas: {},
    requests: [],
    concurrency: 1000,
    plan: undefined,
    prices: {},
    parameters: {},
    vcpus: {},
    stacks: {},
    signed: [],
    silent: false,
    refuses: false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function answer(path: string, target: string, body: Body): [number, unknown] {
    if (account.refuses)
      return [400, { __type: 'AccessDeniedException', message: 'not authorized to do this' }];
    if (path.startsWith('/2016-08-19/account-settings'))
      return [200, { AccountLimit: { ConcurrentExecutions: account.concurrency }, AccountUsage: {} }];
    const code = body.QuotaCode ?? '';
    const value = account.quotas[code];
    switch (target.split('.')[1]) {
      case 'GetAccountPlanState':
        return account.plan
          ? [200, { accountId: '123456789012', ...account.plan }]
          : [400, { __type: 'com.amazon.freetier#ResourceNotFoundException', message: 'no plan' }];
      case 'GetProducts':
        return [200, { FormatVersion: 'aws_v1', PriceList: listed(body.Filters ?? []) }];
      case 'GetParameter': {
        const Value = account.parameters[body.Name ?? ''];
        return Value === undefined
          ? [400, { __type: 'ParameterNotFound' }]
          : [200, { Parameter: { Name: body.Name, Type: 'String', Value, Version: 1 } }];
      }
      case 'GetServiceQuota':
        if (value === undefined)
          return [400, { __type: 'NoSuchResourceException', Message: 'no such quota' }];
        return [200, { Quota: { QuotaCode: code, Value: value } }];
      case 'GetAWSDefaultServiceQuota':
        return [200, { Quota: { QuotaCode: code, Value: 0 } }];
      case 'ListRequestedServiceQuotaChangeHistoryByQuota':
        return [200, { RequestedQuotas: account.requests.filter(({ QuotaCode }) => QuotaCode === code) }];
      default:
        return [400, { __type: 'UnknownOperationException' }];
    }
  }

  /** As the list has it: a capacity block at 0 beside what is paid by the hour. */
  function listed(filters: { Field: string; Value: string }[]): string[] {
    const of = (field: string) => filters.find(({ Field }) => Field === field)?.Value ?? '';
    const price = of('regionCode') === 'us-east-1' ? account.prices[of('instanceType')] : undefined;
    if (price === undefined) return [];
    return ['0.0000000000', price.toFixed(10)].map((USD, n) =>
      JSON.stringify({
        product: { productFamily: 'Compute Instance', attributes: { instanceType: of('instanceType') } },
        serviceCode: 'AmazonEC2',
        terms: {
          OnDemand: {
            [`SKU${n}.JRTCKXETXF`]: {
              priceDimensions: { [`SKU${n}.JRTCKXETXF.6YS6EN2CT7`]: { unit: 'Hrs', pricePerUnit: { USD } } },
            },
          },
        },
      }),
    );
  }

  /** EC2's query protocol. */
  function instanceTypes(form: URLSearchParams): string {
    const asked = [...form].filter(([name]) => name.startsWith('Filter.1.Value')).map(([, type]) => type);
    const items = asked
      .filter((type) => account.vcpus[type] !== undefined)
      .map(
        (type) =>
          `<item><instanceType>${type}</instanceType><vCpuInfo><defaultVCpus>${account.vcpus[type]}</defaultVCpus></vCpuInfo></item>`,
      );
    return `<DescribeInstanceTypesResponse><instanceTypeSet>${items.join('')}</instanceTypeSet></DescribeInstanceTypesResponse>`;
  }

  /** CloudFormation's query protocol. */
  function stackAnswer(form: URLSearchParams): [number, string] {
    const name = form.get('StackName') ?? '';
    const stack = account.stacks[name];
    if (!stack)
      return [
        400,
        `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id ${name} does not exist</Message></Error></ErrorResponse>`,
      ];
    const id = `arn:aws:cloudformation:us-east-1:123456789012:stack/${name}/0`;
    const at = '2026-11-23T12:00:00Z';
    const action = form.get('Action')!;
    const result =
      action === 'DescribeStacks'
        ? `<Stacks><member><StackName>${name}</StackName><StackId>${id}</StackId><StackStatus>${stack.status}</StackStatus><CreationTime>${at}</CreationTime><Outputs>${OUTPUTS.map((key) => `<member><OutputKey>${key}</OutputKey><OutputValue>x</OutputValue></member>`).join('')}</Outputs></member></Stacks>`
        : `<StackEvents>${stack.events
            .map(
              ([logical, status, reason], n) =>
                `<member><StackId>${id}</StackId><EventId>${n}</EventId><StackName>${name}</StackName><LogicalResourceId>${logical}</LogicalResourceId><PhysicalResourceId>${logical === name ? id : logical}</PhysicalResourceId><Timestamp>${at}</Timestamp><ResourceStatus>${status}</ResourceStatus>${reason === undefined ? '' : `<ResourceStatusReason>${reason}</ResourceStatusReason>`}</member>`,
            )
            .join('')}</StackEvents>`;
    return [
      200,
      `<${action}Response xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><${action}Result>${result}</${action}Result></${action}Response>`,
    ];
  }

  async function answerTo(request: IncomingMessage, text: string, response: ServerResponse): Promise<void> {
    const { headers } = request;
    if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
      const form = new URLSearchParams(text);
      const [status, xml] =
        form.get('Action') === 'DescribeInstanceTypes' ? [200, instanceTypes(form)] : stackAnswer(form);
      response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
      return;
    }
    const target = String(headers['x-amz-target'] ?? '');
    const type = { 'content-type': headers['content-type'] ?? 'application/x-amz-json-1.1' };
    const body = JSON.parse(text || '{}') as Body;
    if (target.startsWith('AWSFreeTierService')) account.signed.push(String(headers.authorization));
    if (target.startsWith('AmazonSSM') && !body.Name?.startsWith('/aws/service/')) {
      const passed = await fetch(moto, {
        method: 'POST',
        headers: { ...type, 'x-amz-target': target, authorization: String(headers.authorization) },
        body: text,
      });
      response.writeHead(passed.status, type).end(await passed.text());
      return;
    }
    const [status, told] = answer(request.url ?? '', target, body);
    response.writeHead(status, type).end(JSON.stringify(told));
  }

  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      if (!account.silent) void answerTo(request, text, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  account.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return account;
}
