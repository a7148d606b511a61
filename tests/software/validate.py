"""validate.py cyclonedx|spdx FILE: whether the specification's own validator takes a document. Ends with 1 and says why when it does not."""
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


problems = {"cyclonedx": cyclonedx, "spdx": spdx}[sys.argv[1]](sys.argv[2])
print("\n".join(problems))
sys.exit(1 if problems else 0)
