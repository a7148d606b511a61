#!/usr/bin/env python3
"""Claims: what is wrong with a rule is said with file, rule and field; the same rules are the same bytes."""
import sys
import tempfile
import unittest
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))
from compile import Compiler, RuleError, coverage, load_rules  # noqa: E402

GOOD = {"id": "T-1", "title": "t", "group": "g", "expected": "e", "remediation": "r",
        "check": {"file": {"paths": ["/a"], "mode_not": "0022"}}}


class CompileTest(unittest.TestCase):
    def compile(self, *rules, **document):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rules.yaml"
            path.write_text(yaml.safe_dump({"rules": list(rules), **document}))
            compiler = Compiler()
            compiler.add(load_rules(path))
            return compiler.file("test")

    def refused(self, text, *rules, **document):
        with self.assertRaises(RuleError) as caught:
            self.compile(*rules, **document)
        self.assertIn("rules.yaml", str(caught.exception))
        self.assertIn(text, str(caught.exception))

    def test_a_good_rule_is_always_the_same_bytes(self):
        self.assertEqual(self.compile(GOOD), self.compile(GOOD))
        self.assertTrue(self.compile(GOOD).startswith(b"picketBL\1\0\1\0"))

    def test_a_pattern_that_the_agent_does_not_know_is_refused(self):
        self.refused("file.paths: patterns of names know * and ? only",
                     {**GOOD, "check": {"file": {"paths": ["/home/ann/.[a-z]*"]}}})

    def test_errors_name_rule_and_field(self):
        for text, change in {
            "T-1: title: is needed": {"title": ""},
            "T-1: level: must be 1 or 2": {"level": 3},
            "T-1: severity: must be one of": {"severity": "High"},
            "T-1: profiles: must be of": {"profiles": ["desktop"]},
            "T-1: cis: no benchmark debian8": {"cis": {"debian8": "1"}},
            "T-1: titel: no such field": {"titel": "t"},
            "T-1: check: flie: no such procedure": {"check": {"flie": {}}},
            "T-1: check: file.paths: is needed": {"check": {"file": {"mode_not": "0022"}}},
            "T-1: check: file.mode: no such parameter": {"check": {"file": {"paths": ["/a"], "mode": "0600"}}},
            "T-1: check: file.mode_not: must be octal text": {"check": {"file": {"paths": ["/a"], "mode_not": "0088"}}},
            "T-1: check: service.state: must be one of": {"check": {"service": {"names": ["a"], "state": "on"}}},
            "T-1: check: setting.is: must be texts": {"check": {"setting": {"files": ["/a"], "key": "k", "is": [True]}}},
            "T-1: check: text.pattern: ": {"check": {"text": {"files": ["/a"], "pattern": "("}}},
            "T-1: check: listening.port: must be a number": {"check": {"listening": {"port": "ssh"}}},
            "T-1: applies: must be one of all, any, not": {"applies": {"file": {"paths": ["/a"]}, "text": {}}},
            "T-1: check: all: must be a list": {"check": {"all": {"file": {"paths": ["/a"]}}}},
        }.items():
            with self.subTest(text):
                self.refused(text, {**GOOD, **change})

    def test_ids_are_used_once(self):
        self.refused("T-1: id: is used twice", GOOD, GOOD)
        self.refused("id: must be letters", {**GOOD, "id": "a b"})

    def test_trees_are_bounded(self):
        tree = GOOD["check"]
        for _ in range(8):
            tree = {"all": [tree]}
        self.refused("too deep", {**GOOD, "check": tree})
        self.refused("more than", {**GOOD, "check": {"file": {"paths": [f"/{n}" for n in range(65)]}}})

    def test_templates_are_filled_in(self):
        template = {"title": "about {path}", "group": "g", "expected": "e", "remediation": "r",
                    "check": {"file": {"paths": "{paths}", "owner": "{path}"}}}
        one = {"id": "T-1", "use": "t", "with": {"path": "/x", "paths": ["/a", "/b"]}}
        self.assertIn(b"about /x", self.compile(one, templates={"t": template}))
        self.refused("no template u", {**one, "use": "u"}, templates={"t": template})

    def test_every_number_of_the_benchmark_has_a_rule_or_a_reason(self):
        root = Path(__file__).parents[2]
        rules = [rule for path in sorted((root / "content/baseline").glob("*.yaml")) for rule in load_rules(path)]
        self.assertIn("\n".join(coverage(rules)).strip(), (root / "docs/baseline-coverage.md").read_text(),
                      "docs/baseline-coverage.md is made anew by: tools/baseline/compile.py --coverage content/baseline/*.yaml")
        with self.assertRaisesRegex(RuleError, "1.1.1.1: has neither a rule nor a reason"):
            coverage([rule for rule in rules if rule["id"] != "PKT-FS-001"])
        with self.assertRaisesRegex(RuleError, "6.1.1: has a rule and a reason"):
            coverage([*rules, {"id": "T-1", "title": "t", "cis": {"dil2": "6.1.1"}}])
        with self.assertRaisesRegex(RuleError, "T-1: cis.dil2: the benchmark has no 9.9"):
            coverage([*rules, {"id": "T-1", "title": "t", "cis": {"dil2": "9.9"}}])
        with self.assertRaisesRegex(RuleError, "debian12.yaml: 1.5.2: there is no rule PKT-KRN-003"):
            coverage([rule for rule in rules if rule["id"] != "PKT-KRN-003"])


if __name__ == "__main__":
    unittest.main()
