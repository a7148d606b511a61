#!/usr/bin/env python3
"""Turns schema/errors.json into the table behind api/errors.h: generate_errors.py OUTPUT."""
import json
import pathlib
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "schema" / "errors.json"


def main():
    errors = json.loads(SOURCE.read_text(encoding="utf-8"))["errors"]
    codes = [error["code"] for error in errors]
    if len(set(codes)) != len(codes):
        sys.exit(f"{SOURCE}: a code is listed twice")
    rows = [f"    {{{json.dumps(e['code'])}, {e['status']}, {e.get('hub', 0)}, {json.dumps(e.get('mqtt', ''))}, {json.dumps(e['text'])}}}," for e in errors]
    pathlib.Path(sys.argv[1]).write_text("\n".join([
        "// Generated from schema/errors.json by tools/schema/generate_errors.py; edit that.",
        "#include <array>", "", '#include "api/errors.h"', "", "namespace picket::api {", "namespace {", "",
        f"constexpr std::array<ErrorInfo, {len(rows)}> kErrors{{{{", *rows, "}};", "", "}  // namespace", "",
        "std::span<const ErrorInfo> all_errors() { return kErrors; }", "",
        "const ErrorInfo* find_error(std::string_view code) {",
        "  for (const ErrorInfo& error : kErrors) {", "    if (error.code == code) return &error;", "  }",
        "  return nullptr;", "}", "", "}  // namespace picket::api", ""]), encoding="utf-8")


main()
