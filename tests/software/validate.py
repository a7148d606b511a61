"""validate.py cyclonedx|spdx|openvex|csaf FILE: whether the specification's own validator takes a document. Ends with 1 and says why when it does not."""
import sys


def cyclonedx(path):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(path, encoding="utf-8").read())
    return [] if error is None else [str(error)]


def spdx(path):
    from spdx_tools.spdx.parser.error import SPDXParsingError
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
    try:
        document = parse_file(path)
    except SPDXParsingError as error:
        return error.messages
    return [f"{message.context.spdx_id}: {message.validation_message}" for message in validate_full_spdx_document(document, "SPDX-2.3")]


def openvex(path):
    """The model of a library of its own; OpenVEX publishes no schema in a registry."""
    import vexipy
    try:
        document = vexipy.Document.from_json(open(path, encoding="utf-8").read())
    except ValueError as error:
        return [str(error)]
    return [] if document.statements else ["no statements"]


def csaf(path):
    """OASIS's own schema, which refers to those of CVSS."""
    import importlib.util
    import json
    import pathlib
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012
    folder = pathlib.Path(importlib.util.find_spec("csaf_lib").origin).parent / "verification/schemas"
    schemas = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    names = [(schema.get("$id") or schema["id"], schema) for schema in schemas]
    registry = Registry().with_resources((name, Resource.from_contents(schema, default_specification=DRAFT202012)) for name, schema in names)
    main = next(schema for name, schema in names if "csaf" in name)
    validator = Draft202012Validator(main, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in validator.iter_errors(json.load(open(path, encoding="utf-8")))]


problems = {"cyclonedx": cyclonedx, "spdx": spdx, "openvex": openvex, "csaf": csaf}[sys.argv[1]](sys.argv[2])
print("\n".join(problems))
sys.exit(1 if problems else 0)
