// Writes one JSON line a case: {"name", "failure"?}, to PICKET_SDK_FOLDER/cases.jsonl. A skipped or unfinished case is a
// failed one. Ends the process a second after the last case: what an SDK leaves open must not keep it, and Node's own
// --test-force-exit loses the last results.
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';

const path = join(process.env.PICKET_SDK_FOLDER, 'cases.jsonl');
let waiting = 0;
let failed = false;
let end;

function note({ name, details, skip, todo }, passed) {
  if (details?.type === 'suite') return;
  const line = { name };
  if (!passed) {
    const error = details?.error;
    line.failure = inspect(error?.cause ?? error ?? 'failed', { depth: 4, breakLength: 120 });
  } else if (skip !== undefined || todo !== undefined) {
    line.failure = 'skipped';
  }
  failed ||= line.failure !== undefined;
  appendFileSync(path, `${JSON.stringify(line)}\n`);
}

export default async function* report(source) {
  for await (const { type, data } of source) {
    if (type === 'test:enqueue') waiting += 1;
    if (type === 'test:pass' || type === 'test:fail') {
      waiting -= 1;
      note(data, type === 'test:pass');
    }
    clearTimeout(end);
    if (waiting === 0) end = setTimeout(() => process.exit(failed ? 1 : 0), 1000);
  }
  yield '';
}
