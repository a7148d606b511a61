"""The kernels that the agent is tried on: where they come from and how they are emulated. Kept in the user's cache, not in
the tree; PICKET_CACHE names another place."""

import dataclasses
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("PICKET_CACHE", pathlib.Path.home() / ".cache/picket")) / "qemu"
FETCH_S_MAX = 900
SMALL_KERNEL_S_MAX = 3600

NETWORK = ["virtio_pci", "virtio_mmio", "virtio_net"]
COMMON = ["crc32c_generic", "inet_diag", "tcp_diag", "udp_diag", "nf_tables", "dummy"]
USB = ["xhci_pci", "hid_generic", "usbhid", "usb_storage", "sd_mod"]


@dataclasses.dataclass(frozen=True)
class Kernel:
    """`tiers`, `network_tiers`: of the collectors process and network, those that must work on this kernel, best first.
    `without`: tiers that it cannot have."""

    name: str
    arch: str
    emulator: list[str]
    memory_mib: int
    tiers: list[str]
    network_tiers: list[str]
    package: str = ""  # "" is the small kernel that small_kernel.sh builds
    modules: tuple[str, ...] = ()
    console: str = "ttyAMA0"
    usb: bool = False
    network_device: str = "virtio-net-device"
    without: frozenset[str] = frozenset()

    def wanted(self, collector: str) -> list[str]:
        return self.tiers if collector == "process" else self.network_tiers

    def image_and_modules(self) -> tuple[pathlib.Path, pathlib.Path]:
        if not self.package:
            return small_kernel(), CACHE / "no-modules"
        folder = unpacked(self.arch, f"of:{self.package}")
        return next(folder.glob("boot/vmlinuz-*")), next(folder.glob("lib/modules/*"))

    def busybox(self) -> pathlib.Path:
        return unpacked(self.arch, "busybox-static") / "bin/busybox"


def unpacked(arch: str, package: str) -> pathlib.Path:
    folder = CACHE / f"{package.removeprefix('of:')}-{arch}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    checked([ROOT / "tools/deps/unpack_packages.sh", arch, folder, package], FETCH_S_MAX)
    return folder


def small_kernel() -> pathlib.Path:
    return pathlib.Path(checked([ROOT / "tests/qemu/small_kernel.sh", CACHE], SMALL_KERNEL_S_MAX).splitlines()[-1])


def checked(command: list, timeout_s: float) -> str:
    done = subprocess.run(command, text=True, capture_output=True, timeout=timeout_s, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


KERNELS = {
    kernel.name: kernel
    for kernel in [
        Kernel("amd64", "amd64", ["qemu-system-x86_64", "-machine", "q35", "-cpu", "max", "-device", "qemu-xhci,id=usb"], 512,
               tiers=["ebpf", "tracepoint", "audit", "proc-connector", "procfs"], network_tiers=["ebpf", "sock-diag", "procfs"],
               package="linux-image-amd64", modules=(*NETWORK, *COMMON, *USB), console="ttyS0", usb=True,
               network_device="virtio-net-pci"),
        Kernel("arm64", "arm64", ["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57"], 512,
               tiers=["ebpf", "tracepoint", "audit", "proc-connector", "procfs"], network_tiers=["ebpf", "sock-diag", "procfs"],
               package="linux-image-cloud-arm64", modules=(*NETWORK, *COMMON)),
        # Has bpf() and audit but no BTF.
        Kernel("armhf", "armhf", ["qemu-system-arm", "-machine", "virt,highmem=off", "-cpu", "cortex-a15"], 256,
               tiers=["tracepoint", "audit", "proc-connector", "procfs"], network_tiers=["sock-diag", "procfs"],
               package="linux-image-armmp-lpae", modules=(*NETWORK, *COMMON), without=frozenset({"ebpf"})),
        # A board's vendor kernel at its worst: 32 bits, no BTF, bpf(), audit, PROC_EVENTS, sock_diag, fanotify, seccomp.
        Kernel("small", "armhf", ["qemu-system-arm", "-machine", "virt,highmem=off", "-cpu", "cortex-a7"], 64,
               tiers=["procfs"], network_tiers=["procfs"],
               without=frozenset({"ebpf", "tracepoint", "audit", "proc-connector", "sock-diag", "conntrack"})),
    ]
}
