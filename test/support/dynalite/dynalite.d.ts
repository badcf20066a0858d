declare module 'dynalite' {
  import type { Server } from 'node:http';
  /** Without `path` it keeps everything in memory. */
  export default function dynalite(options?: {
    path?: string;
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }): Server;
}

declare module 'dynalite/db/index.js' {
  type Done = (error: Error | null) => void;
  interface Store {
    db: { batch(operations: { type: 'put' | 'del'; key: string; value?: unknown }[], done: Done): void };
    getItemDb(table: string): {
      put(key: string, value: unknown, done: Done): void;
      del(key: string, done: Done): void;
    };
  }
  interface Table {
    TableName: string;
    GlobalSecondaryIndexes?: unknown[];
  }
  const database: {
    updateIndexes(store: Store, table: Table, existing: unknown, item: unknown, done: Done): void;
    getIndexActions(
      indexes: unknown[],
      existing: unknown,
      item: unknown,
      table: Table,
    ): { puts: { index: string; key: string; item: unknown }[]; deletes: { index: string; key: string }[] };
  };
  export default database;
}
