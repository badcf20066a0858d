#!/usr/bin/env bash
# lmdb 3.5.6: a transaction's callback that throws after it has written.
#
# The README says that the operations of `transaction` are made "atomically and isolated (fully ACID compliant)", and of
# `childTransaction` that a callback that throws aborts it.
#
# Guess before running: the promise rejects and nothing of the callback is kept, in both.
# Seen: `transaction` rejects and keeps what was written before the throw; `childTransaction` and `transactionSync` keep
# nothing. A key that is too long throws in the callback too, so it leaves a half of a transaction in the same way.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund lmdb@3.5.6
cat >try.mjs <<'JS'
import { open } from 'lmdb';
const db = open({ path: 'store.mdb', noSubdir: true, overlappingSync: false });
for (const verb of ['transaction', 'childTransaction', 'transactionSync']) {
  for (const [cause, second] of [['throws', () => { throw new Error('no'); }], ['long key', () => db.put('k'.repeat(3000), 1)]]) {
    const key = `${verb} ${cause}`;
    let answer = 'resolved';
    try {
      await db[verb](() => { db.put(key, 1); second(); });
    } catch {
      answer = 'rejected';
    }
    console.log(`${key}: ${answer}, first write ${db.doesExist(key) ? 'kept' : 'gone'}`);
  }
}
await db.close();
JS
seen=$(node try.mjs)
echo "lmdb 3.5.6"
echo "$seen"
[ "$seen" = 'transaction throws: rejected, first write kept
transaction long key: rejected, first write kept
childTransaction throws: rejected, first write gone
childTransaction long key: rejected, first write gone
transactionSync throws: rejected, first write gone
transactionSync long key: rejected, first write gone' ]
