#!/usr/bin/env python3
"""Claim: a compiled pattern finds what Python's re finds. The machine here is the one of the format's description."""
import random
import re
import sys
import unittest
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))
from pattern import (ANY, BEGIN, BOUNDARY, BYTE, END, JUMP, MATCH, SET, SPLIT, PatternError,  # noqa: E402
                     compile_pattern)

WORD = set(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def found(program, line):
    def place(index):
        return program[index] | program[index + 1] << 8

    def follow(threads, index, position):
        if index in threads:
            return
        threads.add(index)
        op = program[index]
        if op == JUMP:
            follow(threads, place(index + 1), position)
        elif op == SPLIT:
            follow(threads, place(index + 1), position)
            follow(threads, place(index + 3), position)
        elif op in (BEGIN, END, BOUNDARY):
            before = position > 0 and line[position - 1] in WORD
            after = position < len(line) and line[position] in WORD
            if {BEGIN: position == 0, END: position == len(line), BOUNDARY: before != after}[op]:
                follow(threads, index + 1, position)

    threads = set()
    for position in range(len(line) + 1):
        follow(threads, 0, position)
        if any(program[index] == MATCH for index in threads):
            return True
        if position == len(line):
            return False
        following = set()
        for index in threads:
            op, byte = program[index], line[position]
            if op == ANY:
                follow(following, index + 1, position + 1)
            elif op == BYTE and program[index + 1] == byte:
                follow(following, index + 2, position + 1)
            elif op == SET:
                count = program[index + 1]
                ranges = program[index + 2:index + 2 + 2 * count]
                if any(ranges[i] <= byte <= ranges[i + 1] for i in range(0, 2 * count, 2)):
                    follow(following, index + 2 + 2 * count, position + 1)
        threads = following
    return False


def patterns_of(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "pattern" and isinstance(value, str) and "{" not in value:
                yield value
            yield from patterns_of(value)
    elif isinstance(node, list):
        for each in node:
            yield from patterns_of(each)


class PatternTest(unittest.TestCase):
    def agree(self, pattern, lines):
        program = compile_pattern(pattern)
        for line in lines:
            self.assertEqual(found(program, line.encode()), bool(re.search(pattern, line, re.ASCII)), (pattern, line))

    def test_shipped_patterns_find_what_python_finds(self):
        content = Path(__file__).parents[2] / "content" / "baseline"
        patterns, texts = set(), set()
        for path in sorted(content.glob("*.yaml")):
            raw = path.read_text()
            patterns |= set(patterns_of(yaml.safe_load(raw)))
            texts |= {part for quoted in re.findall(r'"([^"\n]*)"', raw) for part in quoted.split("\\n")}
        self.assertGreater(len(patterns), 50)
        lines = sorted(texts)
        randomly = random.Random(1)
        for pattern in sorted(patterns):
            self.agree(pattern, randomly.sample(lines, 120))

    def test_random_patterns_find_what_python_finds(self):
        randomly = random.Random(2)

        def pattern(depth):
            kind = randomly.randrange(9 if depth < 3 else 5)
            if kind < 3:
                return randomly.choice("ab_ ")
            if kind == 3:
                return randomly.choice(["[ab]", "[^a]", r"\w", r"\s", ".", "[0-9_]"])
            if kind == 4:
                return randomly.choice(["^", "$", r"\b", "a"])
            if kind == 5:
                return f"({pattern(depth + 1)}|{pattern(depth + 1)})"
            if kind == 6:
                return f"({pattern(depth + 1)})" + randomly.choice(["*", "+", "?", "{2}", "{1,3}"])
            return pattern(depth + 1) + pattern(depth + 1)

        for _ in range(400):
            one = pattern(0)
            self.agree(one, ["".join(randomly.choice("ab_ 0") for _ in range(randomly.randrange(8))) for _ in range(10)])

    def test_what_the_machine_lacks_is_named(self):
        for pattern in ("(?=a)", r"(a)\1", "(?<!a)b", "("):
            with self.assertRaises(PatternError):
                compile_pattern(pattern)


if __name__ == "__main__":
    unittest.main()
