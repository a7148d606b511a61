// Compares Picket with the official headless checker of the language (npm @kusto/language-service-next, MIT):
// what we accept it must accept, with the same columns; what it refuses we must refuse. What only we refuse must carry the
// code "unsupported" or stand in exceptions.json with a reason.
//   npm install --no-save @kusto/language-service-next@12.4.1
//   node check.mjs PATH/TO/kql_check ../cases/*.kql
// kql_check (built with the tests) reads queries as JSON lines and answers each with its columns or its diagnostic.
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import vm from 'node:vm';

const [program, ...files] = process.argv.slice(2);
if (!program || files.length === 0) {
  console.error('usage: node check.mjs KQL_CHECK CASES...');
  process.exit(2);
}

function loadChecker() {
  const require = createRequire(path.join(process.cwd(), 'package.json'));
  const folder = path.dirname(require.resolve('@kusto/language-service-next/package.json'));
  for (const file of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) {
    vm.runInThisContext(readFileSync(path.join(folder, file), 'utf8'), {filename: file});
  }
  const {KustoCode, GlobalState, Symbols} = globalThis.Kusto.Language;
  const table = (name, schema) => Symbols.TableSymbol.From(schema).WithName(name);
  const database = new Symbols.DatabaseSymbol.ctor('workspace', [
    table('T', '(b:bool,i:int,l:long,r:real,s:string,t:datetime,ts:timespan,g:guid,d:dynamic,s2:string)'),
    table('SecurityIoTRawEvent', '(TimeGenerated:datetime,DeviceId:string,RawEventName:string,EventDetails:string)'),
  ]);
  const globals = GlobalState.Default.WithDatabase(database);
  const list = (sequence) => globalThis.Bridge.toArray(sequence);
  return (query) => {
    const code = KustoCode.ParseAndAnalyze(query, globals);
    const errors = list(code.GetDiagnostics()).filter((one) => one.Severity === 'Error');
    if (errors.length > 0) return {error: `${errors[0].Code} ${errors[0].Message}`};
    return {columns: list(code.ResultType.Columns).map((one) => `${one.Name}:${one.Type.Name}`)};
  };
}

/// The queries of a case file: its blocks without comments at their head and without what is expected.
function queriesOf(file) {
  return readFileSync(file, 'utf8').split(/^---$/m).map((block) => {
    const lines = block.split('\n');
    const name = (lines.find((line) => line.startsWith('// ')) ?? '').slice(3);
    const end = lines.findIndex((line) => line.startsWith('=> ') || line.startsWith('!!'));
    let start = 0;
    while (start < end && (lines[start].startsWith('//') || lines[start].trim() === '')) start++;
    return {file: path.basename(file), name, query: lines.slice(start, end).join('\n')};
  }).filter((one) => one.query !== '');
}

const cases = files.flatMap(queriesOf);
const ours = execFileSync(program, {input: cases.map((one) => JSON.stringify(one.query)).join('\n') + '\n'})
    .toString().trimEnd().split('\n').map((line) => JSON.parse(line));
const exceptions = JSON.parse(readFileSync(new URL('exceptions.json', import.meta.url), 'utf8'));
const check = loadChecker();

let wrong = 0;
for (const [index, one] of cases.entries()) {
  const mine = ours[index];
  const theirs = check(one.query);
  let complaint = '';
  if (mine.error === undefined && theirs.error !== undefined) complaint = `only the checker refuses: ${theirs.error}`;
  if (mine.error !== undefined && theirs.error === undefined && mine.error !== 'unsupported') complaint = `only we refuse: ${mine.error}`;
  if (mine.columns && theirs.columns && mine.columns.join() !== theirs.columns.join()) {
    complaint = `columns differ: ours ${mine.columns.join(', ')}; theirs ${theirs.columns.join(', ')}`;
  }
  if (complaint === '' || exceptions[one.name] !== undefined) continue;
  wrong++;
  console.log(`${one.file}: ${one.name}\n  ${one.query.replaceAll('\n', '\n  ')}\n  ${complaint}`);
}
console.log(`${cases.length} queries, ${wrong} disagreements`);
process.exit(wrong === 0 ? 0 : 1);
