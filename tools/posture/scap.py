"""OpenSCAP as a second opinion: the Ubuntu 22.04 content of SCAP Security Guide on systems that it was not made for.

Debian ships oscap and that content, but no content for itself. So a copy is made without the check of the operating
system (and, where it is asked for, without that of a container): everything else is as it was shipped.
"""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

PACKAGES = ["openscap-scanner", "ssg-debderived"]
CONTENT = Path("/usr/share/xml/scap/ssg/content/ssg-ubuntu2204-ds.xml")
PROFILE = "xccdf_org.ssgproject.content_profile_cis_level1_server"
RULE = "xccdf_org.ssgproject.content_rule_"
XCCDF = "{http://checklists.nist.gov/xccdf/1.2}"


def install(*more):
    """What is missing of Debian's packages, and of `more`; needs root then."""
    wanted = [*PACKAGES, *more]
    query = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *wanted], capture_output=True, text=True)
    missing = [name for name in wanted if f"installed {name}" not in query.stdout.splitlines()]
    if not missing:
        return
    print("Installing", ", ".join(missing), "...", file=sys.stderr)
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], check=True, env=environment, stdout=subprocess.DEVNULL)
    subprocess.run([*apt, "install", "-y", "--no-install-recommends", *missing], check=True, env=environment,
                   stdout=subprocess.DEVNULL)


def content_without_platform(folder, machine_too=False, correct=False):
    """A copy in `folder`; `machine_too`: what applies to no container is checked in one too (a chroot looks like one);
    `correct`: see corrected()."""
    text = CONTENT.read_text()
    names = r"cpe:/o:[^\"]*" + ("|#machine" if machine_too else "")
    text, count = re.subn(rf'<[a-z0-9.-]+:platform idref="(?:{names})"/>', "", text)
    if count == 0:
        raise RuntimeError(f"{CONTENT}: no check of the platform in it; is it another edition?")
    if correct:
        text = corrected(text)
    out = Path(folder) / ("content-everywhere.xml" if machine_too else "content.xml")
    out.write_text(text)
    return out


def corrected(text):
    """The content with what its later editions ask of Debian's and Ubuntu's password files: mode 0640 of the group shadow,
    as these systems ship them. 0.1.65 asks for mode 0000, and half of the time for the group root, as on Red Hat's."""
    changes = [(f"permissions_{name}_0_mode_0000or_stricter_", r"<[a-z0-9:-]*(?:uread|uwrite|gread) [^>]*>false</[a-z0-9:-]*>", "")
               for name in ("etc_shadow", "etc_gshadow", "backup_etc_shadow", "backup_etc_gshadow")]
    changes += [(f"groupowner_{name}_gid_0_0", r">0</", ">42</") for name in ("etc_gshadow", "backup_etc_gshadow")]
    for state, old, new in changes:
        pattern = rf'<[a-z0-9:-]*file_state [^>]*id="oval:ssg-state_file_{state}:ste:1".*?</[a-z0-9:-]*file_state>'
        text, count = re.subn(pattern, lambda found, old=old, new=new: re.sub(old, new, found[0]), text, flags=re.DOTALL)
        if count == 0:
            raise RuntimeError(f"{CONTENT}: no state {state}; is it another edition?")
    return text


def command(content, results, rules=()):
    """Arguments of oscap. `rules`: only these (without the prefix)."""
    only = [word for rule in rules for word in ("--rule", RULE + rule)]
    return ["oscap", "xccdf", "eval", "--profile", PROFILE, *only, "--results", str(results), str(content)]


def read_results(path):
    """Those in a file: see results_of."""
    return results_of(Path(path).read_text())


def results_of(text):
    """Rule without its prefix -> pass, fail, notapplicable, notchecked, error, unknown. Not selected ones are left out."""
    out = {}
    for result in ElementTree.fromstring(text.encode()).iter(XCCDF + "rule-result"):
        verdict = result.findtext(XCCDF + "result")
        if verdict != "notselected":
            out[result.get("idref").removeprefix(RULE)] = verdict
    return out
