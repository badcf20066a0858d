#!/usr/bin/env bash
# classic-level 3.0.0 (LevelDB): a database whose files were damaged on the disk, opened again with the defaults.
#
# Guess before running: 4 KB of zeros in the middle of the log are refused, or cost the records that lay in them (about 35);
# a folder that has lost its file CURRENT is refused as corrupt, with its data files left alone.
# Seen: nothing is refused and nothing is said. 4 KB of zeros cost 256 records, the rest of their block of 32 KB. Without
# CURRENT the folder is a new database: what lies in a log is taken up, what lies in tables (after any second start) is not,
# and the table files are deleted by that open: CURRENT put back later names files that are gone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund classic-level@3.0.0
cat >try.mjs <<'JS'
import { ClassicLevel } from 'classic-level';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const opened = async (folder) => {
  const db = new ClassicLevel(folder);
  try {
    await db.open();
    const keys = await db.keys().all();
    await db.close();
    return `opened, ${keys.length} of 2000 keys`;
  } catch (error) {
    return `refused: ${error.cause?.message ?? error.message}`;
  }
};
const tables = (folder) => readdirSync(folder).filter((name) => name.endsWith('.ldb')).length;
const copy = (from, to) => (cpSync(from, to, { recursive: true }), to);

const db = new ClassicLevel('started once');
for (let i = 0; i < 2000; i += 1) await db.put(`k${String(i).padStart(5, '0')}`, 'x'.repeat(100));
await db.close();
copy('started once', 'started twice');
await opened('started twice');

const zeroed = copy('started once', 'zeroed');
const log = readdirSync(zeroed).find((name) => name.endsWith('.log'));
const bytes = readFileSync(`${zeroed}/${log}`);
writeFileSync(`${zeroed}/${log}`, bytes.fill(0, 65_536, 65_536 + 4096));
console.log('4 KB of zeros in the log:', await opened(zeroed));

for (const [before, name] of [['started once', 'log'], ['started twice', 'tables']]) {
  const lost = copy(before, `lost ${name}`);
  const had = tables(lost);
  rmSync(`${lost}/CURRENT`);
  console.log(`no CURRENT, data in ${name}:`, await opened(lost), `(table files: ${had} before, ${tables(lost)} after)`);
}
const back = copy('started twice', 'back');
rmSync(`${back}/CURRENT`);
await opened(back);
cpSync('started twice/CURRENT', `${back}/CURRENT`);
console.log('CURRENT put back afterwards:', await opened(back));
JS
seen=$(node try.mjs)
echo "classic-level 3.0.0"
echo "$seen"
[ "$seen" = '4 KB of zeros in the log: opened, 1744 of 2000 keys
no CURRENT, data in log: opened, 2000 of 2000 keys (table files: 0 before, 1 after)
no CURRENT, data in tables: opened, 0 of 2000 keys (table files: 1 before, 0 after)
CURRENT put back afterwards: refused: Corruption: 1 missing files; e.g.: back/000005.ldb' ]
