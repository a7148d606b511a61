#!/usr/bin/env python3
"""Turns schema/events.yaml into C++ types, the JSON Schema of the security message and docs/events.md.

    generate_events.py --cpp DIR      message/{events,event_kinds,visit_all_events}.h, events.cc and event_table.cc below DIR
    generate_events.py --documents    schema/security-message-3.0.json and docs/events.md, in the source tree
    generate_events.py --check        exit 1 when those two are not what --documents would write
"""
import argparse
import json
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "schema" / "events.yaml"
SCHEMA = ROOT / "schema" / "security-message-3.0.json"
DOCUMENT = ROOT / "docs" / "events.md"
NOTE = "Generated from schema/events.yaml by tools/schema/generate_events.py; edit that."
CATEGORIES = ("Periodic", "Triggered")
EVENT_TYPES = ("Security", "Operational", "Diagnostic")
# type -> (C++ member, default when required, column type, JSON Schema)
TYPES = {
    "text": ("std::string_view", "", "text", {"type": "string"}),
    "int": ("std::int64_t", " = 0", "integer", {"type": "integer"}),
    "real": ("double", " = 0", "real", {"type": "number"}),
    "bool": ("bool", " = false", "boolean", {"type": "boolean"}),
    "datetime": ("Timestamp", "", "datetime", {"type": "string", "format": "date-time"}),
    "ints": ("std::span<const std::uint32_t>", "", None, {"type": "array", "items": {"type": "integer", "minimum": 0}}),
    "texts": ("std::span<const std::string_view>", "", None, {"type": "array", "items": {"type": "string"}}),
    "map": ("std::span<const Detail>", "", None, {"type": "object", "additionalProperties": {"type": "string"}}),
    "json": ("std::string_view", "", None, {}),
}
EMPTY_IS_ABSENT = ("text", "ints", "texts", "map", "json")


class Broken(Exception):
    """events.yaml contradicts itself; the text says where."""


def snake(key):
    key = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", key)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", key).lower()


def quote(text):
    return json.dumps(text, ensure_ascii=True)


def load():
    document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    enums, columns, names = document["enums"], {}, set()
    for event in document["events"]:
        name = event["name"]
        if name in names:
            raise Broken(f"{name}: listed twice")
        names.add(name)
        if event["table"] not in document["tables"] or event["category"] not in CATEGORIES or event["type"] not in EVENT_TYPES:
            raise Broken(f"{name}: table, category or type is unknown")
        event["keys"] = event["keys"] + [k for g in event.get("groups", []) for k in document["groups"][g]]
        seen = set()
        for key in event["keys"]:
            if snake(key["key"]) in seen:
                raise Broken(f"{name}.{key['key']}: listed twice")
            seen.add(snake(key["key"]))
            if key["type"] not in TYPES and key["type"] not in enums:
                raise Broken(f"{name}.{key['key']}: unknown type {key['type']}")
            if not key.get("column"):
                continue
            column_type = TYPES[key["type"]][2] if key["type"] in TYPES else "text"
            if column_type is None:
                raise Broken(f"{name}.{key['key']}: a list, map or json cannot be a column")
            if columns.setdefault(key["key"], column_type) != column_type:
                raise Broken(f"{name}.{key['key']}: column of two types")
    document["columns"] = dict(sorted(columns.items()))
    return document


def table_columns(document, table):
    found = {k["key"] for e in document["events"] if e["table"] == table for k in e["keys"] if k.get("column")}
    return sorted(found)


def head(lines, text):
    return [f"// {text}", f"// {NOTE}", *lines]


def member(document, key):
    required = key.get("required", False)
    if key["type"] in document["enums"]:
        return f"{key['type']} {snake(key['key'])}{{}};" if required else f"std::optional<{key['type']}> {snake(key['key'])};"
    cpp, default, _, _ = TYPES[key["type"]]
    if required or key["type"] in EMPTY_IS_ABSENT:
        return f"{cpp} {snake(key['key'])}{default};"
    return f"std::optional<{cpp}> {snake(key['key'])};"


def remark(key):
    parts = [f"{key['unit']}" if "unit" in key else "", key.get("description", "")]
    text = ". ".join(p for p in parts if p)
    return f"  ///< {text}." if text else ""


def events_header(document):
    out = head(["#pragma once", "", "#include <cstdint>", "#include <optional>", "#include <span>", "#include <string_view>", "",
                '#include "base/core/json_writer.h"', '#include "message/event.h"', "", "namespace picket::message {", ""],
               "What a device can report: one struct an event, and its encoder.")
    for name, values in document["enums"].items():
        out += [f"enum class {name} : std::uint8_t {{ {', '.join(values)} }};", f"std::string_view to_string({name} value);", ""]
    for event in document["events"]:
        out += [f"/// {event['description']}", "/// Views are borrowed for the call of append_payload; empty text, an empty list and nullopt are left out.",
                f"struct {event['name']} {{",
                f"  static constexpr EventName kEvent{{{quote(event['name'])}, Category::{event['category']}, EventType::{event['type']}}};", ""]
        out += [f"  {member(document, key)}{remark(key)}" for key in event["keys"]]
        out += ["};", "/// Appends one payload item, a JSON object.", f"void append_payload(JsonWriter& json, const {event['name']}& item);", ""]
    return out + ["}  // namespace picket::message", ""]


def encoder_line(document, key):
    field, name = f"item.{snake(key['key'])}", quote(key["key"])
    kind, required = key["type"], key.get("required", False)
    if kind in ("ints", "texts", "map"):
        return f"  put_list(json, {name}, {field});"
    if kind == "json":
        return f"  if (!{field}.empty()) json.key({name}).raw({field});"
    if required:
        value = f"to_string({field})" if kind in document["enums"] else field
        return f"  json.key({name}).value({value});"
    if kind == "text":
        return f"  if (!{field}.empty()) json.key({name}).value({field});"
    value = f"to_string(*{field})" if kind in document["enums"] else f"*{field}"
    return f"  if ({field}) json.key({name}).value({value});"


def events_source(document):
    out = head(['#include "message/events.h"', "", '#include "put_list.h"', "", "namespace picket::message {", ""],
               "Encoders of what a device can report.")
    for name, values in document["enums"].items():
        out += [f"std::string_view to_string({name} value) {{", "  switch (value) {"]
        out += [f"    case {name}::{v}: return {quote(v)};" for v in values]
        out += ["  }", '  return "";', "}", ""]
    for event in document["events"]:
        out += [f"void append_payload(JsonWriter& json, const {event['name']}& item) {{", "  json.begin_object();"]
        out += [encoder_line(document, key) for key in event["keys"]]
        out += ["  json.end_object();", "}", ""]
    return out + ["}  // namespace picket::message", ""]


def visitor_header(document):
    out = head(["#pragma once", "", '#include "message/events.h"', "", "namespace picket::message {", "",
                "/// Calls `visit` with a default-constructed item of every event, in the order of schema/events.yaml.",
                "template <class Visitor>", "void visit_all_events(Visitor&& visit) {"], "Every event once: for tests and tools.")
    return out + [f"  visit({e['name']}{{}});" for e in document["events"]] + ["}", "", "}  // namespace picket::message", ""]


def kinds_header(document):
    events, columns, tables = document["events"], document["columns"], document["tables"]
    out = head(["#pragma once", "", "#include <cstddef>", "#include <cstdint>", "", "namespace picket::message {", ""],
               "Numbers of events, promoted columns and tables. They may change with a version: never store them.")
    out += ["/// Unknown: an event whose name is not in the table; it is kept as a raw event.",
            "enum class EventKind : std::uint8_t {", "  Unknown,"] + [f"  {e['name']}," for e in events] + ["};",
            f"inline constexpr std::size_t kEventKinds = {len(events) + 1};", ""]
    out += ["/// Payload keys that are promoted to typed columns.", "enum class Field : std::uint8_t {"]
    out += [f"  {c}," for c in columns] + ["};", f"inline constexpr std::size_t kFields = {len(columns)};", ""]
    out += ["enum class Table : std::uint8_t {"] + [f"  {t},  ///< {text}" for t, text in tables.items()] + ["};",
            f"inline constexpr std::size_t kTables = {len(tables)};", "", "}  // namespace picket::message", ""]
    return out


def key_info(document, event, key):
    kind = key["type"]
    key_type = "text" if kind in document["enums"] else kind
    field = f"Field::{key['key']}" if key.get("column") else "std::nullopt"
    values = f"k{kind}Values" if kind in document["enums"] else "{}"
    renames = f"k{event['name']}{key['key']}Sigma" if "sigma_values" in key else "{}"
    return (f"    {{{quote(key['key'])}, KeyType::{key_type}_, {quote(key.get('unit', ''))}, "
            f"{'true' if key.get('required') else 'false'}, {field}, {quote(key.get('sigma', ''))}, {values}, {renames}}},")


def table_source(document):
    out = head(['#include "message/event_table.h"', "", "#include <array>", "#include <optional>", "", "namespace picket::message {", "namespace {", ""],
               "The tables behind message/event_table.h.")
    for name, values in document["enums"].items():
        out.append(f"constexpr std::array<std::string_view, {len(values)}> k{name}Values{{{', '.join(map(quote, values))}}};")
    out.append("")
    for event in document["events"]:
        for key in event["keys"]:
            if "sigma_values" in key:
                pairs = ", ".join(f"SigmaValue{{{quote(a)}, {quote(b)}}}" for a, b in key["sigma_values"].items())
                out.append(f"constexpr std::array k{event['name']}{key['key']}Sigma{{{pairs}}};")
        out += [f"constexpr std::array<KeyInfo, {len(event['keys'])}> k{event['name']}Keys{{{{"]
        out += [key_info(document, event, key) for key in event["keys"]] + ["}};"]
    out += ["constexpr std::array<EventInfo, kEventKinds> kEvents{{",
            '    {EventKind::Unknown, "", Table::DeviceEvents, Category::Triggered, EventType::Security, {}},']
    out += [f"    {{EventKind::{e['name']}, {quote(e['name'])}, Table::{e['table']}, Category::{e['category']}, EventType::{e['type']}, k{e['name']}Keys}},"
            for e in document["events"]] + ["}};", ""]
    out += ["constexpr std::array<FieldInfo, kFields> kFieldInfos{{"]
    out += [f"    {{Field::{c}, {quote(c)}, ColumnType::{t}}}," for c, t in document["columns"].items()] + ["}};", ""]
    for table in document["tables"]:
        columns = table_columns(document, table)
        out += [f"constexpr std::array<Field, {len(columns)}> k{table}Columns{{"] + [f"    Field::{c}," for c in columns] + ["};",
                f'static_assert(k{table}Columns.size() <= kColumnsMax, "columns fit the exactness mask");']
    out += ["constexpr std::array<TableInfo, kTables> kTableInfos{{"]
    out += [f"    {{Table::{t}, {quote(t)}, k{t}Columns}}," for t in document["tables"]] + ["}};", "", "}  // namespace", ""]
    out += ["std::span<const EventInfo> all_events() { return kEvents; }", "std::span<const FieldInfo> all_fields() { return kFieldInfos; }",
            "std::span<const TableInfo> all_tables() { return kTableInfos; }", "", "}  // namespace picket::message", ""]
    return out


def write_cpp(document, directory):
    files = {"include/message/events.h": events_header, "include/message/event_kinds.h": kinds_header,
             "include/message/visit_all_events.h": visitor_header,
             "events.cc": events_source, "event_table.cc": table_source}
    for name, make in files.items():
        path, text = directory / name, "\n".join(make(document))
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # unchanged files keep their time: no rebuild
            path.write_text(text, encoding="utf-8")


def item_schema(document, event):
    properties, required = {}, []
    for key in event["keys"]:
        schema = {"enum": document["enums"][key["type"]]} if key["type"] in document["enums"] else json.loads(json.dumps(TYPES[key["type"]][3]))
        if "items_max" in key:
            schema["maxItems"] = key["items_max"]
        text = ". ".join(t for t in (f"In {key['unit']}" if "unit" in key else "", key.get("description", "")) if t)
        if text:
            schema["description"] = text
        properties[key["key"]] = schema
        if key.get("required"):
            required.append(key["key"])
    return {"description": event["description"], "type": "object", "properties": properties, "required": required}


def schema_text(document):
    defs = {e["name"]: item_schema(document, e) for e in document["events"]}
    rules = [{"if": {"properties": {"Name": {"const": e["name"]}}, "required": ["Name"]},
              "then": {"properties": {"Category": {"const": e["category"]}, "EventType": {"const": e["type"]},
                                      "Payload": {"items": {"$ref": f"#/$defs/{e['name']}"}}}}} for e in document["events"]]
    defs["Event"] = {
        "type": "object",
        "required": ["Id", "TimestampLocal", "TimestampUTC", "Category", "Name", "EventType", "IsEmpty", "PayloadSchemaVersion", "Payload"],
        "properties": {
            "Id": {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36},
            "TimestampLocal": {"type": "string", "format": "date-time", "description": "Device's clock with its offset"},
            "TimestampUTC": {"type": "string", "format": "date-time"},
            "Category": {"enum": list(CATEGORIES)},
            "Name": {"type": "string", "minLength": 1, "maxLength": 128, "description": "Names not listed in $defs are kept as raw events"},
            "EventType": {"enum": list(EVENT_TYPES)},
            "IsEmpty": {"type": "boolean", "description": "True when Payload has no item"},
            "PayloadSchemaVersion": {"type": "string", "pattern": "^3\\.[0-9]+$"},
            "Payload": {"type": "array", "items": {"type": "object"}},
        },
        "if": {"properties": {"IsEmpty": {"const": True}}, "required": ["IsEmpty"]},
        "then": {"properties": {"Payload": {"maxItems": 0}}},
        "else": {"properties": {"Payload": {"minItems": 1}}},
        "allOf": rules,
    }
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://picket.invalid/schema/security-message-3.0.json",
        "$comment": NOTE,
        "title": "Picket security message 3.0",
        "description": "What Picket's own senders emit. Readers keep unknown members and accept every 3.x.",
        "type": "object",
        "required": ["AgentVersion", "AgentId", "MessageSchemaVersion", "SentUtc", "BootId", "MonotonicMs", "StreamEpoch", "Sequence", "Events"],
        "properties": {
            "AgentVersion": {"type": "string"},
            "AgentId": {"type": "string", "minLength": 36, "maxLength": 36, "description": "Of the installation; never used as identity"},
            "MessageSchemaVersion": {"type": "string", "pattern": "^3\\.[0-9]+$"},
            "SentUtc": {"type": "string", "format": "date-time", "description": "Device's clock when the message was sent"},
            "BootId": {"type": "string", "description": "Changes with each start of the device"},
            "MonotonicMs": {"type": "integer", "minimum": 0, "description": "Since that start, when the message was sent"},
            "StreamEpoch": {"type": "string", "description": "Changes when the sequence begins anew"},
            "Sequence": {"type": "integer", "minimum": 1, "description": "Number of the message in its stream; the same when it is sent again"},
            "Events": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Event"}},
        },
        "$defs": defs,
    }
    return json.dumps(whole, indent=1) + "\n"


def document_text(document):
    out = ["# Events", "", f"<!-- {NOTE} -->", "", "What a device can report. R: our agent always sends it. Column: promoted to a typed column of the event's table.",
           "Every item carries the keys `TimestampLocal` and `EventId` in `EventDetails` too. Unknown events and keys are kept.", ""]
    for table, text in document["tables"].items():
        out += [f"## {table}", "", text, ""]
        for event in (e for e in document["events"] if e["table"] == table):
            out += [f"### {event['name']}", "", f"{event['description']} {event['category']}, {event['type']}.", "",
                    "| Key | Type | R | Column | Sigma | Meaning |", "|---|---|---|---|---|---|"]
            for key in event["keys"]:
                kind = " / ".join(document["enums"][key["type"]]) if key["type"] in document["enums"] else key["type"]
                kind += f" ({key['unit']})" if "unit" in key else ""
                out.append(f"| {key['key']} | {kind} | {'R' if key.get('required') else ''} | {'yes' if key.get('column') else ''} | "
                           f"{key.get('sigma', '')} | {key.get('description', '')} |")
            out.append("")
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpp", type=pathlib.Path)
    parser.add_argument("--documents", action="store_true")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    try:
        document = load()
    except Broken as broken:
        sys.exit(f"{SOURCE}: {broken}")
    if arguments.cpp:
        write_cpp(document, arguments.cpp)
    texts = {SCHEMA: schema_text(document), DOCUMENT: document_text(document)}
    if arguments.documents:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    if arguments.check:
        stale = [str(path) for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        if stale:
            sys.exit(f"stale, run tools/schema/generate_events.py --documents: {', '.join(stale)}")


if __name__ == "__main__":
    main()
