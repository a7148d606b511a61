"""Turns the programs of a BPF object without BTF into C tables: `embed_programs.py OBJECT PREFIX > HEADER`.

Each section "PREFIX/NAME" becomes `picket_PREFIX_NAME`, its instructions as numbers of 64 bits, and `picket_PREFIX_NAME_maps`,
pairs of an instruction's index and the map that it names, a symbol of the section "slots".
"""
import struct
import sys

prefix = sys.argv[2]
with open(sys.argv[1], "rb") as file:
    data = file.read()
(table,) = struct.unpack_from("<Q", data, 40)
size, count, names_index = struct.unpack_from("<HHH", data, 58)
headers = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * size) for i in range(count)]


def text(section, offset):
    start = headers[section][4] + offset
    return data[start:data.index(b"\0", start)].decode()


names = [text(names_index, header[0]) for header in headers]
symbols_index = next(i for i, header in enumerate(headers) if header[1] == 2)
symbols_at, symbols_bytes, symbol_names = headers[symbols_index][4:7]
# name, info, other, section, value, size
symbols = [struct.unpack_from("<IBBHQQ", data, at) for at in range(symbols_at, symbols_at + symbols_bytes, 24)]

print("/* Made by embed_programs.py. */")
for index, name in enumerate(names):
    if not name.startswith(f"{prefix}/"):
        continue
    start, length = headers[index][4:6]
    words = struct.unpack_from(f"<{length // 8}Q", data, start)
    uses = []
    for header in headers:
        if header[1] != 9 or header[7] != index:  # SHT_REL of this section
            continue
        for at in range(header[4], header[4] + header[5], 16):
            offset, info = struct.unpack_from("<QQ", data, at)
            symbol = symbols[info >> 32]
            assert info & 0xFFFFFFFF == 1 and names[symbol[3]] == "slots", "only maps may be named"
            uses.append((offset // 8, f"PICKET_{prefix.upper()}_MAP_" + text(symbol_names, symbol[0]).upper()))
    short = name.split("/")[1]
    print(f"static const unsigned long long picket_{prefix}_{short}[] = {{")
    for i in range(0, len(words), 5):
        print("    " + " ".join(f"{word:#x}ULL," for word in words[i:i + 5]))
    print("};")
    print(f"static const struct picket_program_use picket_{prefix}_{short}_maps[] = {{")
    print("    " + " ".join(f"{{{i}, {m}}}," for i, m in uses))
    print("};")
