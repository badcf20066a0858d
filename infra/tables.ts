// The tables, as functions/store/tables.ts describes them. They outlive every stack: no deployment deletes one.

import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import { jobsTable, tables as specs, type TableSpec } from '../functions/store/tables.ts';
import { tableArn, tablePrefix } from './names.ts';

type ItemAction = 'GetItem' | 'BatchGetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'Scan';

/** The actions of a service on items, by table, and the indexes that it queries. An unknown name fails the synthesis. */
export type TableAccess = Record<string, { items: ItemAction[]; indexes?: string[] }>;

export class Tables extends Construct {
  readonly prefix: string;
  /** ARN of the jobs' stream; it ends with its time of creation, so that only an export has it. */
  readonly jobStream: string;

  constructor(scope: Construct, id: string, { name }: { name: string }) {
    super(scope, id);
    this.prefix = tablePrefix(name);
    const created = new Map(specs.map((spec) => [spec.name, this.#create(spec)]));
    this.jobStream = created.get(jobsTable.name)!.tableStreamArn!;
  }

  /** ARNs of every table and every index. */
  arnsFor(scope: IConstruct): string[] {
    return specs.flatMap(({ name, indexes }) => {
      const arn = this.#arn(scope, name);
      return [arn, ...indexes.map((index) => `${arn}/index/${index.name}`)];
    });
  }

  /** Grants access, and returns the environment variable that names the tables. */
  allow(role: Role, access: TableAccess): { TABLE_PREFIX: string } {
    const add = (actions: string[], resources: string[]) =>
      role.addToPolicy(new PolicyStatement({ actions, resources }));
    for (const [name, { items, indexes = [] }] of Object.entries(access)) {
      const spec = specs.find((one) => one.name === name);
      const unknown = indexes.find((index) => !spec?.indexes.some((one) => one.name === index));
      if (!spec || unknown !== undefined)
        throw new Error(`functions/store/tables.ts has no ${[name, unknown].join(' ')}.`);
      const arn = this.#arn(role, name);
      add(
        items.map((action) => `dynamodb:${action}`),
        [arn],
      );
      // Queries go to indexes, never to a table.
      if (indexes.length > 0) {
        add(
          ['dynamodb:Query'],
          indexes.map((index) => `${arn}/index/${index}`),
        );
      }
    }
    return { TABLE_PREFIX: this.prefix };
  }

  /** Permissions with which Lambda reads the jobs' stream for a function. */
  allowStream(role: Role): void {
    role.addToPolicy(
      new PolicyStatement({
        actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
        resources: [this.jobStream],
      }),
    );
    // ListStreams supports no resource-level permission; AWS's managed policy also uses `*`.
    role.addToPolicy(new PolicyStatement({ actions: ['dynamodb:ListStreams'], resources: ['*'] }));
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Lambda lists streams before it reads one; a list says how tables are named, and nothing of what is in them.',
    });
  }

  /** By name, so that no CloudFormation export ties the stacks together. */
  #arn(scope: IConstruct, name: string): string {
    return tableArn(scope, this.prefix + name);
  }

  #create(spec: TableSpec): Table {
    const key = (name: string) => ({
      name,
      type: spec.numbers?.includes(name) ? AttributeType.NUMBER : AttributeType.STRING,
    });
    const table = new Table(this, spec.name, {
      tableName: this.prefix + spec.name,
      partitionKey: key(spec.partitionKey),
      ...(spec.sortKey !== undefined && { sortKey: key(spec.sortKey) }),
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: spec.ttl,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      // A failed first deployment deletes its empty tables: tables that stay, or have deletion protection, would block the
      // next one. `npm run deploy` turns protection on once they exist.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      ...(spec.name === jobsTable.name && { stream: StreamViewType.NEW_IMAGE }),
    });
    for (const { name, partitionKey, sortKey } of spec.indexes) {
      table.addGlobalSecondaryIndex({
        indexName: name,
        partitionKey: key(partitionKey),
        sortKey: key(sortKey),
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    return table;
  }
}
