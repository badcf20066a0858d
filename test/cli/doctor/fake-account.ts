// Service Quotas (JSON 1.1) and Lambda's account settings (REST), which moto gets wrong: over real HTTP, an account
// whose limits a test turns.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeAccount {
  url: string;
  /** By quota code; absent: never changed. */
  quotas: Record<string, number>;
  requests: { Id: string; QuotaCode: string; DesiredValue: number; Status: string }[];
  concurrency: number;
  /** Answers nothing. */
  silent: boolean;
  refuses: boolean;
  close(): Promise<void>;
}

export async function startFakeAccount(): Promise<FakeAccount> {
  const account: FakeAccount = {
    url: '',
    quotas: {},
    requests: [],
    concurrency: 1000,
    silent: false,
    refuses: false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function answer(path: string, target: string, body: { QuotaCode?: string }): [number, unknown] {
    if (account.refuses)
      return [400, { __type: 'AccessDeniedException', message: 'not authorized to do this' }];
    if (path.startsWith('/2016-08-19/account-settings'))
      return [200, { AccountLimit: { ConcurrentExecutions: account.concurrency }, AccountUsage: {} }];
    const code = body.QuotaCode ?? '';
    const value = account.quotas[code];
    switch (target.split('.')[1]) {
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

  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      if (account.silent) return;
      const target = String(request.headers['x-amz-target'] ?? '');
      const [status, body] = answer(
        request.url ?? '',
        target,
        JSON.parse(text || '{}') as { QuotaCode?: string },
      );
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  account.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return account;
}
