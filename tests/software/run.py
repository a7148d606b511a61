#!/usr/bin/env python3
"""Documents and verdicts of `picket` against what others say of them; the last line is "software: N passed, N failed".

    tests/software/run.py [CASE...]      a CASE is the name of a function below, without case_

Needs no server. Bin folder: PICKET_TEST_BIN, else build/release/bin. Validators: the CycloneDX project's own schemas and validator, the SPDX
project's own reader and validator, as requirements.txt pins them (tools/deps/software.sh).
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYTHON = ROOT / ".deps/software-python/bin/python"
PICKET = pathlib.Path(os.environ.get("PICKET_TEST_BIN", ROOT / "build/release/bin")) / "picket"
sys.path.insert(0, str(ROOT / "tools/vulnerability"))
import changelogs  # noqa: E402

NASTY = ['a', 'Capital_Name', 'with space', 'slash/es/in', '@scope/name', 'plus++', 'til~de^', 'quo"te', "apos'trophe", 'back\\slash', 'new\nline',
         'tab\there', 'nul\x00byte', '\x7f', '<script>', '(parentheses)', '{"json":1}', '%2F%00', '$(id)', '../../etc/passwd', 'é', '日本語', '😀',
         '\u202eright-to-left', '\ufeff', 'NOASSERTION', 'NONE', 'SPDXRef-DOCUMENT', 'Organization: x', 'pkg:deb/a@1', 'x' * 512]


def picket(*arguments, ok=True):
    done = subprocess.run([PICKET, *map(str, arguments)], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    if ok and done.returncode != 0:
        raise AssertionError(f"picket {arguments}: {done.returncode}: {done.stderr}")
    return done.stdout


def convert(folder, text, form):
    source = folder / "in.json"
    source.write_text(text)
    return picket("sbom", "convert", source, "--format", form)


def nasty_document():
    """Each text in each place; versions and suppliers that nobody would expect."""
    components = []
    for number, text in enumerate(NASTY):
        other = NASTY[(number * 7 + 3) % len(NASTY)]
        properties = [{"name": "picket:type", "value": "deb"}, {"name": "picket:sourceName", "value": other},
                      {"name": "picket:sourceVersion", "value": text}, {"name": "picket:architecture", "value": "amd64"}]
        components.append({"type": "library", "name": text, "version": other, "supplier": {"name": text}, "purl": f"pkg:deb/debian/n{number}@1",
                           "evidence": {"occurrences": [{"location": other}]}, "properties": properties})
        components.append({"type": "library", "name": other, "version": text, "purl": "no purl " + text})
    components.append({"type": "library", "name": "without-anything"})
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components,
                       "metadata": {"component": {"type": "device", "name": 'press "17"\n', "version": "1 (beta)"}}})


def validate(form, text, folder):
    """By the validator of who wrote the specification, in its own Python."""
    path = folder / f"validate.{form}.json"
    path.write_text(text)
    done = subprocess.run([PYTHON, HERE / "validate.py", form, path], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def components_of(folder, text):
    """What a reader makes of a document: its CycloneDX form without what is of this one document."""
    return [{key: value for key, value in one.items() if key != "bom-ref"} for one in json.loads(convert(folder, text, "cyclonedx"))["components"]]


def case_nasty_names_are_valid_documents(folder):
    for form in ("cyclonedx", "spdx"):
        validate(form, convert(folder, nasty_document(), form), folder)


def case_nothing_is_lost_between_the_forms(folder):
    first = components_of(folder, nasty_document())
    assert len(first) == 2 * len(NASTY) + 1
    spdx = convert(folder, nasty_document(), "spdx")
    assert components_of(folder, spdx) == first
    assert components_of(folder, convert(folder, spdx, "cyclonedx")) == first


def case_an_empty_inventory_is_a_valid_document(folder):
    for form in ("cyclonedx", "spdx"):
        validate(form, convert(folder, '{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}', form), folder)


def case_the_validators_refuse_what_is_wrong(folder):
    """Else the other cases would say nothing."""
    good = json.loads(convert(folder, nasty_document(), "cyclonedx"))
    good["components"][0]["type"] = "gadget"
    spdx = json.loads(convert(folder, nasty_document(), "spdx"))
    spdx["packages"][0]["SPDXID"] = "not an id"
    for form, document in (("cyclonedx", good), ("spdx", spdx)):
        try:
            validate(form, json.dumps(document), folder)
        except AssertionError:
            continue
        raise AssertionError(f"{form}: a wrong document passed")


def gathered(folder):
    packages = changelogs.installed()
    evidence = changelogs.gather(packages, pathlib.Path("/usr/share/doc"))
    if len(evidence) < 100:  # a machine without documentation: what was recorded on one that has it
        rows = (ROOT / "src/vulnerability/tests/data/changelogs/evidence.tsv").read_text().splitlines()
        evidence = [changelogs.Evidence(*row.split("\t")) for row in rows if not row.startswith("#")]
        packages = sorted({(e.package, e.installed, "amd64", e.source, e.source_installed) for e in evidence})
    changelogs.write(folder, packages, evidence)
    return packages, evidence


def case_this_machine_is_a_valid_document(folder):
    gathered(folder)
    for form in ("cyclonedx", "spdx"):
        validate(form, convert(folder, (folder / "machine.cdx.json").read_text(), form), folder)


def scan(folder, document, kind, feed):
    lines = picket("vuln", "scan", "--json", folder / document, "--feed", f"{kind}={folder / feed}").splitlines()
    return {(one["package"], one["vulnerability"]) for one in map(json.loads, lines)}


FORMS = (("debian-tracker", "tracker.json"), ("osv", "osv.jsonl"), ("debian-list", "dsa.list"))


def case_no_changelog_of_this_machine_refutes_a_finding(folder):
    _, evidence = gathered(folder)
    fixed = {(one.source, one.cve) for one in evidence}
    newest = {}
    for one in evidence:
        if one.before:
            newest.setdefault(one.source, one)
    for kind, feed in FORMS:
        refuted = scan(folder, "machine.cdx.json", kind, feed) & fixed
        assert not refuted, f"{kind}: the changelogs refute {sorted(refuted)[:20]}"
        found = scan(folder, "before.cdx.json", kind, feed)
        missed = {(one.source, one.cve) for one in newest.values()} - found
        assert not missed, f"{kind}: before the fix, and not found: {sorted(missed)[:20]}"
    print(f"figure: changelog_pairs {len(evidence)} of {len({one.source for one in evidence})} sources")


def case_a_wrong_feed_is_refuted_by_changelogs(folder):
    _, evidence = gathered(folder)
    wrong = [one._replace(fixed=one.source_installed + "+later") for one in evidence]
    (folder / "tracker.json").write_text(changelogs.tracker(wrong))
    fixed = {(one.source, one.cve) for one in evidence}
    assert scan(folder, "machine.cdx.json", "debian-tracker", "tracker.json") >= fixed


VEX = ("openvex", "cyclonedx", "csaf")


def standings(folder, document, feed, *more):
    lines = picket("vuln", "scan", "--json", folder / document, "--feed", f"debian-tracker={folder / feed}", *more).splitlines()
    return {(one["purl"], one["vulnerability"], one["standing"]) for one in map(json.loads, lines)}


def few_findings(folder):
    """Validators compare each entry with each other: a document of some hundred."""
    _, evidence = gathered(folder)
    document = json.loads((folder / "before.cdx.json").read_text())
    document["components"] = document["components"][:12]
    (folder / "before.cdx.json").write_text(json.dumps(document))
    (folder / "tracker.json").write_text(changelogs.tracker([one for number, one in enumerate(evidence) if number % 20 == 0]))


def case_findings_are_valid_statements_and_decide_the_same(folder):
    few_findings(folder)
    found = standings(folder, "before.cdx.json", "tracker.json")
    assert found
    for form in VEX:
        for more in ((), ("--all",)):
            text = picket("vuln", "scan", folder / "before.cdx.json", "--feed", f"debian-tracker={folder / 'tracker.json'}", "--format", form, *more)
            validate(form, text, folder)
            statements = folder / f"statements.{form}.json"
            statements.write_text(text)
            assert standings(folder, "before.cdx.json", "tracker.json", "--vex", statements) == found, form
    # And a "no" of ours about one of them is in the next export.
    purl, cve, _ = sorted(found)[0]
    mine = {"@context": "https://openvex.dev/ns/v0.2.0", "@id": "urn:x", "author": "us", "timestamp": "2026-01-01T00:00:00Z", "version": 1,
            "statements": [{"vulnerability": {"name": cve}, "products": [{"@id": purl}], "status": "not_affected",
                            "justification": "inline_mitigations_already_exist", "impact_statement": 'quo"te\n\u65e5'}]}
    (folder / "mine.json").write_text(json.dumps(mine))
    fewer = standings(folder, "before.cdx.json", "tracker.json", "--vex", folder / "mine.json")
    assert found - fewer == {(purl, cve, "affected")}
    for form in VEX:
        text = picket("vuln", "scan", folder / "before.cdx.json", "--feed", f"debian-tracker={folder / 'tracker.json'}", "--vex", folder / "mine.json",
                      "--format", form)
        validate(form, text, folder)
        (folder / "again.json").write_text(text)
        assert standings(folder, "before.cdx.json", "tracker.json", "--vex", folder / "again.json") == fewer, form


def case_the_validators_refuse_wrong_statements(folder):
    few_findings(folder)
    for form, key in (("openvex", "statements"), ("cyclonedx", "vulnerabilities"), ("csaf", "vulnerabilities")):
        good = json.loads(picket("vuln", "scan", folder / "before.cdx.json", "--feed", f"debian-tracker={folder / 'tracker.json'}", "--format", form))
        if form == "openvex":
            good[key][0]["status"] = "soon"
        elif form == "cyclonedx":
            good[key][0]["analysis"]["state"] = "soon"
        else:
            del good["document"]["tracking"]
        try:
            validate(form, json.dumps(good), folder)
        except AssertionError:
            continue
        raise AssertionError(f"{form}: a wrong document passed")


def main():
    subprocess.run([ROOT / "tools/deps/software.sh"], check=True)
    cases = {name.removeprefix("case_"): body for name, body in globals().items() if name.startswith("case_")}
    wanted = sys.argv[1:] or list(cases)
    failed = 0
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            try:
                cases[name](pathlib.Path(folder))
            except Exception:
                failed += 1
                print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
    print(f"software: {len(wanted) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
