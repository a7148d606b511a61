// Compares Picket with the official checker over queries of other people: a JSON array of [repository, file, query],
// which is made from public repositories and stays outside of this one (the queries are theirs).
//   node tools/kql/published.mjs KQL_CHECK TABLES QUERIES.json [VERDICT...]
// TABLES: lines Name(column:type, ...). Prints a tally, and the queries with one of the named verdicts (checker.mjs). What
// the checker says is kept beside QUERIES.json, in .checked.json: it takes minutes.
import {existsSync, readFileSync, writeFileSync} from 'node:fs';

import {askPicket, compare, loadChecker} from './checker.mjs';

const [program, tables, file, ...verdicts] = process.argv.slice(2);
if (!file) {
  console.error('usage: node published.mjs KQL_CHECK TABLES QUERIES.json [agree|unsupported|ours|theirs|columns ...]');
  process.exit(2);
}
const queries = JSON.parse(readFileSync(file, 'utf8'));
const kept = file.replace(/\.json$/, '') + '.checked.json';

function ask() {
  const check = loadChecker(tables);
  return queries.map(([, , query]) => {
    try {
      return check(query);
    } catch (error) {
      return {error: `the checker fell: ${error.message}`};
    }
  });
}

let theirs = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : [];
if (theirs.length !== queries.length) {
  theirs = ask();
  writeFileSync(kept, JSON.stringify(theirs));
}
const ours = askPicket(program, tables, queries.map(([, , query]) => query));
const tally = {agree: 0, 'refused by both': 0, unsupported: 0, ours: 0, theirs: 0, columns: 0};
for (const [index, [repository, name, query]] of queries.entries()) {
  const {verdict, refused, complaint} = compare(ours[index], theirs[index]);
  tally[refused ? 'refused by both' : verdict]++;
  if (!verdicts.includes(refused ? 'both' : verdict)) continue;
  const said = refused ? `checker: ${theirs[index].error}\n  Picket: ${ours[index].text}` : complaint;
  console.log(`#### ${index} ${repository} ${name}\n${query}\n  ${said}\n`);
}
console.log(`${queries.length} queries:`, JSON.stringify(tally));
