#!/usr/bin/env python3
"""compile.py FILE.yaml... -o baseline.bin [--name TEXT]: rules in YAML to the binary form that the agent reads.

The YAML is described in docs/baseline.md, the binary form in docs/formats/baseline.md. An error names file, rule and
field. --coverage prints the table of rules by number in the benchmark.
"""
import argparse
import re
import struct
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))
from pattern import PatternError, compile_pattern  # noqa: E402

FORMAT = 1
SEVERITIES = ["Critical", "Important", "Warning", "Informational"]
PROFILES = {"server": 1, "embedded": 2}
DEPTH_MAX, CHILDREN_MAX, PARAMETERS_MAX, ITEMS_MAX, RULES_MAX = 8, 32, 16, 64, 2048
RULE_FIELDS = {"id", "title", "group", "level", "profiles", "severity", "cis", "applies", "check", "expected",
               "remediation", "pass", "fail", "skip", "use", "with"}
REQUIRED = ["id", "title", "group", "check", "expected", "remediation"]
PATTERNS = {"paths", "files", "names", "except"}  # of names of files
BENCHMARKS = {"dil2", "debian12", "debian11", "ubuntu2204"}


class RuleError(ValueError):
    """What is wrong, for people."""


def load_schema():
    text = (Path(__file__).parent / "procedures.yaml").read_text()
    return yaml.safe_load(text)["procedures"]


SCHEMA = load_schema()


class Strings:
    """A pool of texts, each once: u16 length, bytes."""

    def __init__(self):
        self.bytes = bytearray()
        self.places = {}

    def at(self, text):
        raw = text if isinstance(text, bytes) else text.encode()
        if raw not in self.places:
            if len(raw) > 0xFFFF:
                raise RuleError("a text is longer than 65535 bytes")
            self.places[raw] = len(self.bytes)
            self.bytes += struct.pack("<H", len(raw)) + raw
        return self.places[raw]


def fill(value, names):
    """Puts the values of `names` where {name} stands in texts; a text that is only {name} becomes the value itself."""
    if isinstance(value, str):
        whole = re.fullmatch(r"\{(\w+)\}", value)
        if whole and whole[1] in names:
            return names[whole[1]]
        return re.sub(r"\{(\w+)\}", lambda m: str(names[m[1]]) if m[1] in names else m[0], value)
    if isinstance(value, list):
        return [fill(each, names) for each in value]
    if isinstance(value, dict):
        return {fill(key, names): fill(each, names) for key, each in value.items()}
    return value


def load_rules(path):
    """The rules of one file, with defaults and templates put in."""
    document = yaml.safe_load(Path(path).read_text())
    unknown = set(document) - {"group", "defaults", "templates", "rules"}
    if unknown:
        raise RuleError(f"{path}: {sorted(unknown)[0]}: no such field of a file")
    out = []
    for rule in document["rules"]:
        merged = {"group": document.get("group"), **document.get("defaults", {})}
        if "use" in rule:
            template = document.get("templates", {}).get(rule["use"])
            if template is None:
                raise RuleError(f"{path}: {rule.get('id')}: use: no template {rule['use']}")
            merged.update(fill(template, rule.get("with", {})))
        merged.update(rule)
        merged["file"] = str(path)
        out.append(merged)
    return out


class Compiler:
    def __init__(self):
        self.strings, self.texts = Strings(), Strings()
        self.code, self.index, self.ids = bytearray(), [], set()

    def parameter(self, name, kind, value):
        out = struct.pack("<I", self.strings.at(name))
        if isinstance(kind, list):
            if value not in kind:
                raise RuleError(f"{name}: must be one of {', '.join(kind)}")
            kind = "text"
        kind = kind.rstrip("!")
        if kind == "text":
            kind, value = "list", [value]
        if kind == "list":
            if not isinstance(value, list):
                value = [value]
            if not all(isinstance(each, (str, int)) and not isinstance(each, bool) for each in value):
                raise RuleError(f"{name}: must be texts; write \"yes\" and \"no\" with quotes")
            if name in PATTERNS and any("[" in str(each) for each in value):
                raise RuleError(f"{name}: patterns of names know * and ? only")
            self.items += len(value)
            return out + struct.pack("<BB", 1, len(value)) + b"".join(
                struct.pack("<I", self.strings.at(str(each))) for each in value)
        if kind in ("number", "mode"):
            try:
                value = int(value, 8) if kind == "mode" else int(value)
            except (TypeError, ValueError):
                raise RuleError(f"{name}: must be {'octal text' if kind == 'mode' else 'a number'}") from None
            return out + struct.pack("<Bq", 0, value)
        try:
            program = compile_pattern(value)
        except PatternError as error:
            raise RuleError(f"{name}: {error}") from None
        self.items += 1
        return out + struct.pack("<BI", 2, self.strings.at(program))

    def tree(self, node, depth=0):
        if depth >= DEPTH_MAX:
            raise RuleError("too deep")
        if not isinstance(node, dict) or len(node) != 1:
            raise RuleError(f"must be one of all, any, not or a procedure, not {node}")
        (name, body), = node.items()
        if name in ("all", "any", "not"):
            children = [body] if name == "not" else body
            if not isinstance(children, list) or not 0 < len(children) <= CHILDREN_MAX:
                raise RuleError(f"{name}: must be a list of 1 to {CHILDREN_MAX}")
            out = struct.pack("<BB", ["all", "any", "not"].index(name), len(children))
            for child in children:
                code = self.tree(child, depth + 1)
                out += struct.pack("<H", len(code)) + code
            return out
        if name not in SCHEMA:
            raise RuleError(f"{name}: no such procedure")
        kinds, body = SCHEMA[name], body or {}
        for key, kind in kinds.items():
            if isinstance(kind, str) and kind.endswith("!") and key not in body:
                raise RuleError(f"{name}.{key}: is needed")
        self.items = 0
        out = struct.pack("<BIB", 3, self.strings.at(name), len(body))
        for key, value in body.items():
            if key not in kinds:
                raise RuleError(f"{name}.{key}: no such parameter")
            try:
                out += self.parameter(key, kinds[key], value)
            except RuleError as error:
                raise RuleError(f"{name}.{error}") from None
        if len(body) > PARAMETERS_MAX or self.items > ITEMS_MAX:
            raise RuleError(f"{name}: more than {PARAMETERS_MAX} parameters or {ITEMS_MAX} items")
        return out

    def rule(self, rule):
        def check(field, right, what):
            if not right:
                raise RuleError(f"{field}: {what}")
        for field in rule:
            check(field, field in RULE_FIELDS | {"file"}, "no such field")
        for field in REQUIRED:
            check(field, rule.get(field), "is needed")
        check("id", re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]{2,40}", str(rule["id"])), "must be letters, digits, . and -")
        check("id", rule["id"] not in self.ids, "is used twice")
        self.ids.add(rule["id"])
        level, severity = rule.get("level", 1), rule.get("severity", "Warning")
        check("level", level in (1, 2), "must be 1 or 2")
        check("severity", severity in SEVERITIES, f"must be one of {', '.join(SEVERITIES)}")
        profiles = 0
        for profile in rule.get("profiles", list(PROFILES)):
            check("profiles", profile in PROFILES, f"must be of {', '.join(PROFILES)}")
            profiles |= PROFILES[profile]
        cis = rule.get("cis", {})
        for benchmark in cis:
            check("cis", benchmark in BENCHMARKS, f"no benchmark {benchmark}; there are {', '.join(sorted(BENCHMARKS))}")
        out = struct.pack("<III", self.strings.at(rule["id"]), self.strings.at(rule["group"]),
                          self.strings.at(str(cis.get("dil2", ""))))
        for field in ("title", "expected", "remediation"):
            check(field, isinstance(rule[field], str), "must be a text")
            out += struct.pack("<I", self.texts.at(" ".join(rule[field].split())))
        out += struct.pack("<BBB", level, profiles, SEVERITIES.index(severity))
        for field in ("applies", "check"):
            try:
                code = self.tree(rule[field]) if rule.get(field) else b""
            except RuleError as error:
                raise RuleError(f"{field}: {error}") from None
            out += struct.pack("<H", len(code)) + code
        self.index.append(len(self.code))
        self.code += out

    def add(self, rules):
        for rule in rules:
            try:
                self.rule(rule)
            except RuleError as error:
                raise RuleError(f"{rule['file']}: {rule.get('id', '?')}: {error}") from None
        if len(self.index) > RULES_MAX:
            raise RuleError(f"more than {RULES_MAX} rules")

    def file(self, name):
        name_at = self.texts.at(name)
        sections = [b"".join(struct.pack("<I", each) for each in self.index), bytes(self.code),
                    bytes(self.strings.bytes), bytes(self.texts.bytes)]
        head = b"picketBL" + struct.pack("<HHI", FORMAT, len(self.index), name_at)
        at = len(head) + 8 * len(sections)
        for section in sections:
            head += struct.pack("<II", at, len(section))
            at += len(section)
        return head + b"".join(sections)


def load_benchmark(name):
    """Section -> its numbers, and the rest of the file with numbers as text."""
    document = yaml.safe_load((Path(__file__).parent / name).read_text())
    sections = {}
    for title, ranges in document.pop("sections").items():
        numbers = sections[title] = []
        for each in ranges:
            begin, last = each.split("-")
            *head, first = begin.split(".")
            numbers += [".".join([*head, str(n)]) for n in range(int(first), int(last) + 1)]
    return sections, {part: {str(k): v for k, v in texts.items()} for part, texts in document.items()}


def coverage(rules):
    """Lines of Markdown: every number of the benchmark with its rules or why it has none; then the rules beyond it; then
    the numbers of the Debian 12 benchmark."""
    sections, document = load_benchmark("benchmark.yaml")
    why, stands_for = document["not_automated"], {k: str(v) for k, v in document["stands_for"].items()}
    by_number = {}
    for rule in rules:
        by_number.setdefault(str(rule.get("cis", {}).get("dil2", "")), []).append(rule)
    known = [number for numbers in sections.values() for number in numbers]
    for number in sorted(set(by_number) - {"", *known}):
        raise RuleError(f"{by_number[number][0]['id']}: cis.dil2: the benchmark has no {number}")
    for number in known:
        if (stands_for.get(number, number) in by_number) == (number in why):
            raise RuleError(f"{number}: has {'a rule and a reason to have none' if number in why else 'neither a rule nor a reason'}")
    debian_lines, debian = debian_coverage(rules)
    head = ["| DIL 2.0.0 | rule | level | Ubuntu 22.04 | Debian 12 | what |", "|---|---|---|---|---|---|"]
    lines = []

    def row(number, rule):
        ubuntu = rule.get("cis", {}).get("ubuntu2204", "")
        there = ", ".join(debian.get(rule["id"], []))
        lines.append(f"| {number} | {rule['id']} | {rule.get('level', 1)} | {ubuntu} | {there} | {rule['title']} |")
    for title, numbers in sections.items():
        automated = [n for n in numbers if n in by_number or n in stands_for]
        lines += ["", f"## {title}: {len(automated)} of {len(numbers)}", "", *head]
        for number in numbers:
            found = by_number.get(stands_for.get(number, number), [])
            for rule in found:
                row(number, rule)
            if not found:
                lines.append(f"| {number} | not automated | | | | {why[number]} |")
    lines += ["", f"## Rules beyond the benchmark: {len(by_number[''])}", "", *head]
    for rule in by_number[""]:
        row("", rule)
    return [*lines, *debian_lines]


def debian_coverage(rules):
    """Lines of Markdown, and rule -> its numbers. A number has rules, or a reason to have none."""
    sections, document = load_benchmark("debian12.yaml")
    titles = {rule["id"]: rule["title"] for rule in rules}
    by_number = {number: [ids] if isinstance(ids, str) else ids for number, ids in document["rules"].items()}
    in_part, why = document["in_part"], document["not_automated"]
    known = [number for numbers in sections.values() for number in numbers]
    for number in [*by_number, *in_part, *why]:
        if number not in known:
            raise RuleError(f"debian12.yaml: the benchmark has no {number}")
    lines, of_rule = ["", "# By number of the Debian 12 benchmark 1.1.0"], {}
    for title, numbers in sections.items():
        automated = [n for n in numbers if n in by_number]
        lines += ["", f"## Debian {title}: {len(automated)} of {len(numbers)}", "", "| Debian 12 | rules | what |", "|---|---|---|"]
        for number in numbers:
            if (number in by_number) == (number in why):
                raise RuleError(f"debian12.yaml: {number}: has {'both rules and' if number in why else 'neither rules nor'} a reason")
            for rule in by_number.get(number, []):
                if rule not in titles:
                    raise RuleError(f"debian12.yaml: {number}: there is no rule {rule}")
                of_rule.setdefault(rule, []).append(number)
            if number in why:
                lines.append(f"| {number} | not automated | {why[number]} |")
            else:
                what = f"in part: {in_part[number]}" if number in in_part else "; ".join(titles[rule] for rule in by_number[number])
                lines.append(f"| {number} | {', '.join(by_number[number])} | {what} |")
    return lines, of_rule


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("files", nargs="+")
    arguments.add_argument("-o", "--output")
    arguments.add_argument("--name", default="Picket baseline")
    arguments.add_argument("--coverage", action="store_true", help="print the rules by number in the benchmark")
    arguments.add_argument("--quiet", action="store_true", help="say nothing when all is well")
    options = arguments.parse_args()
    compiler = Compiler()
    try:
        rules = [rule for path in options.files for rule in load_rules(path)]
        compiler.add(rules)
    except (RuleError, yaml.YAMLError, OSError) as error:
        sys.exit(f"compile.py: {error}")
    if options.coverage:
        try:
            print("\n".join(coverage(rules)).strip())
        except RuleError as error:
            sys.exit(f"compile.py: {error}")
    if options.output:
        Path(options.output).parent.mkdir(parents=True, exist_ok=True)
        Path(options.output).write_bytes(compiler.file(options.name))
    if not options.quiet:
        print(f"{len(rules)} rules, {len(compiler.file(options.name))} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
