"""Takes the line table out of a BPF object: `strip_line_info.py OBJECT`.

It helps only who reads a verifier's log, and is a third of a light skeleton, which stands in the agent's program. Types,
functions and relocations stay.
"""
import struct
import sys

path = sys.argv[1]
with open(path, "rb") as file:
    data = bytearray(file.read())
# Head of .BTF.ext: magic 0xeb9f, version 1, flags 0, length of the head 32, then offset and length of each table.
head = data.index(struct.pack("<HBBI", 0xEB9F, 1, 0, 32))
struct.pack_into("<I", data, head + 20, 0)
with open(path, "wb") as file:
    file.write(data)
