// The language's official headless checker (npm @kusto/language-service-next, MIT) and what it says beside what Picket says.
// Used by check.mjs (our own cases and hunting queries) and published.mjs (queries of other people).
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import vm from 'node:vm';

/// query => {error} or {columns}. `tables`: a file of lines Name(column:type, ...). The package is looked for from the
/// current folder, since it is no part of Picket.
export function loadChecker(tables) {
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

export const jsonLines = (text) => text.toString().trimEnd().split('\n').map((line) => JSON.parse(line));

/// What Picket says of each query: {columns} or {error: code, text}.
export function askPicket(program, tables, queries) {
  return jsonLines(execFileSync(program, [tables], {
    input: queries.map((query) => JSON.stringify(query)).join('\n') + '\n', maxBuffer: 1 << 28,
  }));
}

/// How one query is judged: agree, unsupported (only we refuse, by name), ours (only we refuse), theirs (only the checker
/// refuses) or columns (both accept, with other names or types); and a sentence where they differ.
export function compare(mine, theirs) {
  if (mine.error !== undefined && theirs.error !== undefined) return {verdict: 'agree', refused: true};
  if (mine.error === 'unsupported') return {verdict: 'unsupported', complaint: mine.text};
  if (mine.error !== undefined) return {verdict: 'ours', complaint: `only we refuse: ${mine.text}`};
  if (theirs.error !== undefined) return {verdict: 'theirs', complaint: `only the checker refuses: ${theirs.error}`};
  if (mine.columns && theirs.columns && mine.columns.join() !== theirs.columns.join()) {
    const complaint = `columns differ: ours ${mine.columns.join(', ')}; theirs ${theirs.columns.join(', ')}`;
    return {verdict: 'columns', complaint};
  }
  return {verdict: 'agree'};
}
