// One JSON line a case: {"name", "failure"?}. A skipped or unfinished case is a failed one.
import { inspect } from 'node:util';

export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    const line = { name: data.name };
    if (type === 'test:fail') {
      const error = data.details?.error;
      line.failure = inspect(error?.cause ?? error ?? 'failed', { depth: 4, breakLength: 120 });
    } else if (data.skip !== undefined || data.todo !== undefined) {
      line.failure = 'skipped';
    }
    yield `${JSON.stringify(line)}\n`;
  }
}
