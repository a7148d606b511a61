"""Regular expressions to the programs that the agent runs (docs/formats/baseline.md, "Patterns")."""
import re
import struct
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from re import _constants as constants
    from re import _parser as parser

MATCH, BYTE, ANY, SET, SPLIT, JUMP, BEGIN, END, BOUNDARY = range(9)
BYTES_MAX = 1024
CATEGORIES = {
    constants.CATEGORY_DIGIT: [(48, 57)],
    constants.CATEGORY_SPACE: [(9, 13), (32, 32)],
    constants.CATEGORY_WORD: [(48, 57), (65, 90), (95, 95), (97, 122)],
}
NEGATED = {
    constants.CATEGORY_NOT_DIGIT: constants.CATEGORY_DIGIT,
    constants.CATEGORY_NOT_SPACE: constants.CATEGORY_SPACE,
    constants.CATEGORY_NOT_WORD: constants.CATEGORY_WORD,
}


class PatternError(ValueError):
    """A construct that the agent's machine does not have."""


def merge(ranges):
    out = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return out


def complement(ranges):
    out, at = [], 0
    for low, high in merge(ranges):
        if low > at:
            out.append((at, low - 1))
        at = high + 1
    if at <= 255:
        out.append((at, 255))
    return out


class Compiler:
    """Places are relative until the end: an instruction is (op, operands), a target an index into the list."""

    def __init__(self, ignore_case):
        self.ignore_case = ignore_case
        self.code = []

    def emit(self, *instruction):
        self.code.append(list(instruction))
        return len(self.code) - 1

    def emit_set(self, ranges):
        if self.ignore_case:
            more = [(ord(chr(c).swapcase()), ord(chr(c).swapcase())) for low, high in ranges
                    for c in range(low, min(high, 127) + 1) if chr(c).isalpha()]
            ranges = ranges + more
        ranges = merge(ranges)
        if ranges == [(ranges[0][0], ranges[0][0])]:
            self.emit(BYTE, ranges[0][0])
        else:
            self.emit(SET, ranges)

    def sequence(self, items):
        for op, value in items:
            self.one(op, value)

    def one(self, op, value):
        if op is constants.LITERAL:
            for byte in chr(value).encode():
                self.emit_set([(byte, byte)])
        elif op is constants.NOT_LITERAL:
            if self.ignore_case:
                raise PatternError("[^x] and (?i) together")
            self.emit_set(complement([(value, value)]))
        elif op is constants.ANY:
            self.emit(ANY)
        elif op is constants.IN:
            self.emit_set(self.ranges(value))
        elif op is constants.BRANCH:
            self.branch(value[1])
        elif op is constants.SUBPATTERN:
            self.sequence(value[3])
        elif op in (constants.MAX_REPEAT, constants.MIN_REPEAT):
            self.repeat(*value)
        elif op is constants.AT:
            places = {constants.AT_BEGINNING: BEGIN, constants.AT_END: END, constants.AT_BOUNDARY: BOUNDARY}
            if value not in places:
                raise PatternError(f"{value} is not known")
            self.emit(places[value])
        else:
            raise PatternError(f"{op} is not known")

    def ranges(self, items):
        out, negate = [], False
        for op, value in items:
            if op is constants.NEGATE:
                negate = True
            elif op is constants.LITERAL:
                out.append((value, value))
            elif op is constants.RANGE:
                out.append(value)
            elif op is constants.CATEGORY and value in CATEGORIES:
                out += CATEGORIES[value]
            elif op is constants.CATEGORY and value in NEGATED:
                out += complement(CATEGORIES[NEGATED[value]])
            else:
                raise PatternError(f"{op} in [ ] is not known")
        if any(high > 127 for _, high in out if not negate):
            if any(low > 255 or high > 255 for low, high in out):
                raise PatternError("only ASCII in [ ]")
        return complement(out) if negate else out

    def branch(self, alternatives):
        jumps = []
        for index, alternative in enumerate(alternatives):
            if index + 1 < len(alternatives):
                split = self.emit(SPLIT, 0, 0)
                self.code[split][1] = len(self.code)
                self.sequence(alternative)
                jumps.append(self.emit(JUMP, 0))
                self.code[split][2] = len(self.code)
            else:
                self.sequence(alternative)
        for jump in jumps:
            self.code[jump][1] = len(self.code)

    def repeat(self, low, high, items):
        for _ in range(low):
            self.sequence(items)
        if high is constants.MAXREPEAT:
            split = self.emit(SPLIT, 0, 0)
            self.code[split][1] = len(self.code)
            self.sequence(items)
            self.emit(JUMP, split)
            self.code[split][2] = len(self.code)
            return
        splits = []
        for _ in range(high - low):
            splits.append(self.emit(SPLIT, len(self.code) + 1, 0))
            self.sequence(items)
        for split in splits:
            self.code[split][2] = len(self.code)

    def program(self):
        self.emit(MATCH)
        places, at = [], 0
        for instruction in self.code:
            places.append(at)
            at += {BYTE: 2, JUMP: 3, SPLIT: 5}.get(instruction[0], 1)
            if instruction[0] == SET:
                at += 1 + 2 * len(instruction[1])
        out = bytearray()
        for op, *operands in self.code:
            out.append(op)
            if op == BYTE:
                out.append(operands[0])
            elif op in (SPLIT, JUMP):
                for target in operands:
                    out += struct.pack("<H", places[target])
            elif op == SET:
                out.append(len(operands[0]))
                for low, high in operands[0]:
                    out += bytes((low, high))
        if len(out) > BYTES_MAX:
            raise PatternError(f"{len(out)} bytes compiled, more than {BYTES_MAX}")
        return bytes(out)


def compile_pattern(text):
    """The program of `text`. Raises PatternError."""
    try:
        tree = parser.parse(text)
    except re.error as error:
        raise PatternError(str(error)) from error
    compiler = Compiler(bool(tree.state.flags & re.IGNORECASE))
    compiler.sequence(tree)
    return compiler.program()
