"""The file system in memory that an emulated kernel starts from: a cpio archive ("newc", see the kernel's
Documentation/driver-api/early-userspace/buffer-format.rst), and the modules that a list of modules needs."""

import pathlib
import re
import stat


class Initramfs:
    def __init__(self):
        self._out = bytearray()
        self._number = 0
        self._folders: set[str] = set()
        self._entry("dev", stat.S_IFDIR | 0o755)
        self._folders.add("dev")
        self._entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
        self._entry("dev/null", stat.S_IFCHR | 0o666, device=(1, 3))

    def add(self, path: str, content: bytes | str | pathlib.Path, mode: int = 0o755) -> None:
        """A file at `path` (without a leading slash), of bytes, a text, or what a file of the host holds."""
        for parent in reversed(pathlib.PurePosixPath(path).parents):
            if str(parent) != "." and str(parent) not in self._folders:
                self._folders.add(str(parent))
                self._entry(str(parent), stat.S_IFDIR | 0o755)
        if isinstance(content, pathlib.Path):
            content = content.read_bytes()
        elif isinstance(content, str):
            content = content.encode()
        self._entry(path, stat.S_IFREG | mode, content)

    def add_modules(self, folder: pathlib.Path, names: list[str]) -> None:
        """Kernel modules and what they need, and their order. What is no file there is taken to be built in."""
        files = {file.stem.replace("-", "_"): file for file in folder.rglob("*.ko")}
        order: list[str] = []

        def visit(name: str) -> None:
            file = files.get(name)
            if not file or file.name in order:
                return
            content = file.read_bytes()
            for needed in re.search(rb"\0depends=([^\0]*)\0", content)[1].decode().split(","):
                if needed:
                    visit(needed.replace("-", "_"))
            order.append(file.name)
            self.add(f"modules/{file.name}", content, 0o644)

        for name in names:
            visit(name)
        self.add("modules/order", "".join(name + "\n" for name in order), 0o644)

    def write(self, path: pathlib.Path) -> None:
        self._entry("TRAILER!!!", 0)
        path.write_bytes(self._out)

    def _entry(self, name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        self._number += 1
        raw = name.encode() + b"\0"
        fields = [self._number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(raw), 0]
        self._out += b"070701" + b"".join(b"%08X" % field for field in fields) + raw
        self._out += bytes(-len(self._out) % 4) + content
        self._out += bytes(-len(self._out) % 4)
