"""What our encoder writes is valid by schema/security-message-3.0.json, and what it must not write is not."""
import copy
import json
import pathlib
import subprocess
import sys

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[3]


def main():
    schema = json.loads((ROOT / "schema" / "security-message-3.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    message = json.loads(subprocess.run([sys.argv[1]], check=True, capture_output=True).stdout)
    problems = [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(message)]

    def must_fail(name, change):
        wrong = copy.deepcopy(message)
        change(wrong)
        if validator.is_valid(wrong):
            problems.append(f"accepts {name}")

    must_fail("a classic version", lambda m: m.update(MessageSchemaVersion="1.0"))
    must_fail("no events", lambda m: m.update(Events=[]))
    must_fail("no sequence", lambda m: m.pop("Sequence"))
    must_fail("the category Aggregated", lambda m: m["Events"][0].update(Category="Aggregated"))
    must_fail("IsEmpty with items", lambda m: m["Events"][0].update(IsEmpty=True))
    must_fail("a process id as text", lambda m: m["Events"][0]["Payload"][0].update(ProcessId="7"))
    must_fail("a process without UserId", lambda m: m["Events"][0]["Payload"][0].pop("UserId"))
    message["Events"][0]["Name"] = "SomethingNew"
    message["Events"][0]["Payload"][0]["New"] = 1
    problems += [f"refuses an unknown event: {e.message}" for e in validator.iter_errors(message)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


sys.exit(main())
