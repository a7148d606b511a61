"""What the runners of the three languages wrote, as one kind of result."""

import dataclasses
import json
import pathlib
import xml.etree.ElementTree


@dataclasses.dataclass
class Case:
    name: str
    failure: str | None  # None: passed.


def from_json_lines(path: pathlib.Path) -> list[Case]:
    """Node's cases, as node/reporter.mjs writes them."""
    if not path.exists():
        return []
    return [Case(line["name"], line.get("failure")) for line in map(json.loads, path.read_text().splitlines())]


def from_junit(folder: pathlib.Path) -> list[Case]:
    """The cases of pytest and JUnit. A skipped case is a failed one."""
    out = []
    for path in sorted(folder.glob("*.xml")):
        for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
            bad = [child for child in case if child.tag in ("failure", "error", "skipped")]
            text = (bad[0].get("message") or "") + "\n" + (bad[0].text or "") if bad else None
            out.append(Case(display_name(case), text))
    return out


def display_name(case: xml.etree.ElementTree.Element) -> str:
    """JUnit numbers the rows of a table in the name; what they are called stands in the output."""
    name = case.get("name").split("(")[0]
    for out in case.iter("system-out"):
        for line in (out.text or "").splitlines():
            if line.startswith("display-name: ["):
                return f"{name} {line.removeprefix('display-name: ')}"
    return name
