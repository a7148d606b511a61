// Compares Picket with the official headless checker of the language (npm @kusto/language-service-next, MIT), over the
// cases (tests/kql/*.kqlt) and the hunting queries (tests/kql/hunting and questions/*.kql): what we accept it must accept, with the same
// columns; what it refuses we must refuse. What only we refuse and name as unsupported is counted apart: it is documented.
// Other differences are listed in exceptions.json with a reason, by the name of the case; a reason that nothing needs
// any more is an error too.
//   npm install --no-save @kusto/language-service-next@12.4.1
//   node tools/kql/check.mjs PATH/TO/kql_check     (from the folder with node_modules; kql_check is built with the tests)
import {execFileSync} from 'node:child_process';
import {readFileSync, readdirSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

import {askPicket, compare, jsonLines, loadChecker} from './checker.mjs';

const [program] = process.argv.slice(2);
if (!program) {
  console.error('usage: node check.mjs KQL_CHECK');
  process.exit(2);
}
const here = path.dirname(fileURLToPath(import.meta.url));
const corpus = path.join(here, '../../tests/kql');
const tables = path.join(corpus, 'tables.txt');

/// The queries of a hunting file: its blocks without comments at their head.
function queriesOf(file) {
  return readFileSync(file, 'utf8').split(/^---$/m).map((block) => {
    const lines = block.split('\n').filter((line) => line.trim() !== '');
    return {
      file: path.basename(file),
      name: (lines.find((line) => line.startsWith('// ')) ?? '').slice(3),
      query: lines.filter((line) => !line.startsWith('// ')).join('\n'),
    };
  }).filter((one) => one.query !== '');
}

const cases = jsonLines(execFileSync(program, ['--cases', corpus], {maxBuffer: 1 << 26}));
const queriesIn = (folder) => readdirSync(path.join(corpus, folder)).filter((name) => name.endsWith('.kql')).sort()
    .flatMap((name) => queriesOf(path.join(corpus, folder, name)));
const hunting = [...queriesIn('hunting'), ...queriesIn('questions')];
const exceptions = JSON.parse(readFileSync(path.join(here, 'exceptions.json'), 'utf8'));
const check = loadChecker(tables);

let failed = false;
const unused = new Set(Object.keys(exceptions));
const all = {agree: 0, counted: 0};
const share = (part, whole) => (100 * part / whole).toFixed(1);
for (const [title, queries] of [['cases', cases], ['hunting queries', hunting]]) {
  const ours = askPicket(program, tables, queries.map((one) => one.query));
  const tally = {agree: 0, unsupported: 0, excepted: 0, wrong: 0};
  for (const [index, one] of queries.entries()) {
    const {verdict, complaint, refused} = compare(ours[index], check(one.query));
    if (refused && title === 'hunting queries') {
      tally.wrong++;
      console.log(`${one.file}: ${one.name}\n  refused by both: ${ours[index].text}`);
    } else if (verdict === 'agree' || verdict === 'unsupported') {
      tally[verdict]++;
    } else if (exceptions[one.name] !== undefined) {
      tally.excepted++;
      unused.delete(one.name);
    } else {
      tally.wrong++;
      console.log(`${one.file}: ${one.name}\n  ${one.query.replaceAll('\n', '\n  ')}\n  ${complaint}`);
    }
  }
  const counted = queries.length - tally.unsupported;
  all.agree += tally.agree;
  all.counted += counted;
  console.log(`${title}: ${queries.length}, refused by name ${tally.unsupported}, agree ${tally.agree} ` +
      `(${share(tally.agree, counted)} % of the rest), excepted with a reason ${tally.excepted}, disagree ${tally.wrong}`);
  failed ||= tally.wrong > 0;
}
console.log(`together: agree ${all.agree} of ${all.counted} (${share(all.agree, all.counted)} %)`);
for (const name of unused) console.log(`exceptions.json: nothing differs in '${name}' any more`);
process.exit(failed || unused.size > 0 ? 1 : 0);
