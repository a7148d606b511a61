// Compares Picket with the official headless checker of the language (npm @kusto/language-service-next, MIT), over the
// cases (tests/kql/*.kqlt) and the hunting queries (tests/kql/hunting/*.kql): what we accept it must accept, with the same
// columns; what it refuses we must refuse. What only we refuse and name as unsupported is counted apart: it is documented.
// Other differences are listed in exceptions.json with a reason, by the name of the case.
//   npm install --no-save @kusto/language-service-next@12.4.1
//   node tools/kql/check.mjs PATH/TO/kql_check     (from the folder with node_modules; kql_check is built with the tests)
import {execFileSync} from 'node:child_process';
import {readFileSync, readdirSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import vm from 'node:vm';

const [program] = process.argv.slice(2);
if (!program) {
  console.error('usage: node check.mjs KQL_CHECK');
  process.exit(2);
}
const here = path.dirname(fileURLToPath(import.meta.url));
const corpus = path.join(here, '../../tests/kql');
const tables = path.join(corpus, 'tables.txt');

function loadChecker() {
  const require = createRequire(path.join(process.cwd(), 'package.json'));
  const folder = path.dirname(require.resolve('@kusto/language-service-next/package.json'));
  for (const file of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) {
    vm.runInThisContext(readFileSync(path.join(folder, file), 'utf8'), {filename: file});
  }
  const {KustoCode, GlobalState, Symbols} = globalThis.Kusto.Language;
  const known = readFileSync(tables, 'utf8').split('\n').filter(Boolean).map((line) => {
    const open = line.indexOf('(');
    return Symbols.TableSymbol.From(line.slice(open)).WithName(line.slice(0, open));
  });
  const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor('workspace', known));
  const list = (sequence) => globalThis.Bridge.toArray(sequence);
  return (query) => {
    const code = KustoCode.ParseAndAnalyze(query, globals);
    const errors = list(code.GetDiagnostics()).filter((one) => one.Severity === 'Error');
    if (errors.length > 0) return {error: `${errors[0].Code} ${errors[0].Message}`};
    const columns = code.ResultType?.Columns;
    return {columns: columns ? list(columns).map((one) => `${one.Name}:${one.Type.Name}`) : undefined};
  };
}

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

const jsonLines = (text) => text.toString().trimEnd().split('\n').map((line) => JSON.parse(line));
const cases = jsonLines(execFileSync(program, ['--cases', corpus], {maxBuffer: 1 << 26}));
const hunting = readdirSync(path.join(corpus, 'hunting')).sort()
    .flatMap((name) => queriesOf(path.join(corpus, 'hunting', name)));
const exceptions = JSON.parse(readFileSync(path.join(here, 'exceptions.json'), 'utf8'));
const check = loadChecker();

let failed = false;
for (const [title, queries] of [['cases', cases], ['hunting queries', hunting]]) {
  const ours = jsonLines(execFileSync(program, [tables], {
    input: queries.map((one) => JSON.stringify(one.query)).join('\n') + '\n', maxBuffer: 1 << 26,
  }));
  const tally = {agree: 0, unsupported: 0, excepted: 0, wrong: 0};
  for (const [index, one] of queries.entries()) {
    const mine = ours[index];
    const theirs = check(one.query);
    let complaint = '';
    if (mine.error === undefined && theirs.error !== undefined) complaint = `only the checker refuses: ${theirs.error}`;
    if (mine.error !== undefined && theirs.error === undefined) complaint = `only we refuse: ${mine.text}`;
    if (mine.columns && theirs.columns && mine.columns.join() !== theirs.columns.join()) {
      complaint = `columns differ: ours ${mine.columns.join(', ')}; theirs ${theirs.columns.join(', ')}`;
    }
    if (complaint === '') {
      tally.agree++;
    } else if (mine.error === 'unsupported' && theirs.error === undefined) {
      tally.unsupported++;
    } else if (exceptions[one.name] !== undefined) {
      tally.excepted++;
    } else {
      tally.wrong++;
      console.log(`${one.file}: ${one.name}\n  ${one.query.replaceAll('\n', '\n  ')}\n  ${complaint}`);
    }
  }
  const share = (100 * tally.agree / (queries.length - tally.unsupported)).toFixed(1);
  console.log(`${title}: ${queries.length}, refused by name ${tally.unsupported}, agree ${tally.agree} (${share} % of the rest), ` +
      `excepted with a reason ${tally.excepted}, disagree ${tally.wrong}`);
  failed ||= tally.wrong > 0;
}
process.exit(failed ? 1 : 0);
