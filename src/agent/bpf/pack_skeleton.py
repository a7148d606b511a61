"""pack_skeleton.py SKELETON PACKED: a light skeleton of bpftool whose program image is deflated; unpack.c takes it out at load."""

import re
import sys
import zlib

LOAD = re.compile(r'''\topts\.data_sz = (\d+);
\topts\.data = \(void \*\)"(.*?)";
\topts\.insns_sz = (\d+);
\topts\.insns = \(void \*\)"(.*?)";
\terr = bpf_load_and_run\(&opts\);
''', re.DOTALL)
BYTE = re.compile(r"\\x([0-9a-f]{2})|\\0|\\\n")


def unescaped(literal: str) -> bytes:
    """bpftool writes \\xNN, \\0 and line ends; anything else is a change of it that this script does not know."""
    assert not BYTE.sub("", literal), "an unknown escape in the skeleton"
    return b"".join(bytes.fromhex(m[1]) if m[1] else b"\0" for m in BYTE.finditer(literal) if m[0] != "\\\n")


def packed(found: re.Match) -> str:
    data, instructions = unescaped(found[2]), unescaped(found[4])
    # A literal ends with the NUL that C adds.
    assert len(data) == int(found[1]) and len(instructions) == int(found[3]) and len(data) % 8 == 0
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    image = deflater.compress(data + instructions) + deflater.flush()
    numbers = ",".join(map(str, image))
    return f"""	static const unsigned char image[] = {{{numbers}}};
	void *whole = picket_bpf_unpack(image, sizeof image, {len(data) + len(instructions)});
	if (!whole)
		return -ENOMEM;
	opts.data_sz = {len(data)};
	opts.data = whole;
	opts.insns_sz = {len(instructions)};
	opts.insns = (char *)whole + {len(data)};
	err = bpf_load_and_run(&opts);
	free(whole);
"""


with open(sys.argv[1]) as source:
    text, count = LOAD.subn(packed, source.read())
assert count == 1, "no load function of the form that bpftool 7.1 writes"
with open(sys.argv[2], "w") as target:
    target.write('#include "unpack.h"\n' + text)
