// What tests of the portal came to, from a reporter's JSON: each failed, flaky or skipped test with its own message, then the line that ./test counts.
// report.mjs unit|browser FILE
import { existsSync, readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const kLinesMax = 60;
const kPageLinesMax = 80;
const [kind, file] = process.argv.slice(2);
const result = JSON.parse(readFileSync(file, 'utf8'));

/** @typedef {{ name: string, outcome: 'passed' | 'failed' | 'flaky' | 'skipped', messages: string[], page?: string }} Outcome */

/** @returns {Outcome[]} of Vitest's reporter. */
function ofUnit() {
  const kOutcomes = { passed: 'passed', failed: 'failed' };
  return result.testResults.flatMap(({ name, message, assertionResults }) =>
    assertionResults.length === 0
      ? [{ name, outcome: 'failed', messages: [message] }]
      : assertionResults.map((each) => ({
          name: each.fullName,
          outcome: kOutcomes[each.status] ?? 'skipped',
          messages: each.failureMessages ?? [],
        })),
  );
}

/** What stood on the page when the last try that has it failed, as Playwright writes it beside the screenshot. */
function pageOf(results) {
  const files = results.flatMap(({ attachments }) => attachments).filter(({ name, path }) => name === 'error-context' && existsSync(path));
  const pages = files.flatMap(({ path }) => readFileSync(path, 'utf8').match(/# Page snapshot(.*?)(?:# Test source|$)/s)?.[1] ?? []);
  const page = pages.at(-1);
  return page?.slice(Math.max(0, page.search(/^ *- main/m))); // the navigation is the same everywhere
}

/** @returns {Outcome[]} of Playwright's reporter: suites within suites, a result for each try. */
function ofBrowser() {
  const kOutcomes = { expected: 'passed', unexpected: 'failed', flaky: 'flaky', skipped: 'skipped' };
  const specs = (suite) => [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(specs)];
  const tests = result.suites.flatMap(specs).flatMap((spec) =>
    spec.tests.map(({ status, results, annotations }) => ({
      name: `${spec.file}:${spec.line} › ${spec.title}`,
      outcome: kOutcomes[status],
      messages: [
        ...annotations.map(({ type, description }) => `${type}: ${description ?? ''}`),
        ...results.flatMap(({ errors, retry, duration }) =>
          errors.map(({ message, snippet }) => `try ${retry + 1}, ${(duration / 1000).toFixed(1)} s: ${message}\n${snippet ?? ''}`),
        ),
      ],
      page: pageOf(results),
    })),
  );
  // What belongs to no test, such as a file that cannot be read.
  return [...tests, ...result.errors.map(({ message }) => ({ name: 'outside of any test', outcome: 'failed', messages: [message] }))];
}

const outcomes = kind === 'unit' ? ofUnit() : ofBrowser();
for (const { name, outcome, messages, page } of outcomes) {
  if (outcome === 'passed') continue;
  console.log(`${outcome}: ${name}`);
  print(messages.join('\n'), kLinesMax);
  if (page) print(`The page:\n${page}`, kPageLinesMax);
}

function print(text, linesMax) {
  const lines = stripVTControlCharacters(text).split('\n').filter((line) => line.trim() !== '');
  for (const line of lines.slice(0, linesMax)) console.log(`  ${line}`);
}

const number = (wanted) => outcomes.filter(({ outcome }) => outcome === wanted).length;
if (kind === 'browser') console.log(`flaky: ${number('flaky')}`);
console.log(`portal: ${number('passed') + number('flaky')} passed, ${number('failed')} failed, ${number('skipped')} skipped`);
