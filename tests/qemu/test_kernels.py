"""The agent under other kernels, emulated whole: every tier of process and network forced, and what other collectors see, each
event read from the workspace of a real server and checked field by field."""

import itertools
import socket

import pytest
from device import HOST, Device
from kernels import KERNELS
from picket_server import Server

PSS_KIB_MAX = 4096
NOT_SEEN = {"audit": {"LocalAddress"}}  # connect() says where to, not where from
unique = itertools.count(1)


@pytest.fixture(scope="module", params=list(KERNELS))
def device(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    server = Server(folder, "--names", HOST)
    made = None
    try:
        server.start()
        made = Device(KERNELS[request.param], folder, server).boot()
        made.restart()
        yield made
    finally:
        if made:
            made.guest.stop()
        server.stop()


def new_tag() -> str:
    return f"tag{next(unique)}x"


def program(device: Device, tag: str) -> str:
    path = f"/tmp/place/busybox-{tag}"
    device.run(f"cp /bin/busybox {path}")
    return path


def each_tier(device: Device, collector: str, without: tuple[str, ...] = ()):
    for tier in device.tiers(collector):
        if tier not in without:
            device.restart(f"{collector}={tier}")
            assert device.tier(collector) == tier
            yield tier


def differences(event: dict, wanted: dict) -> dict:
    return {key: (event.get(key), value) for key, value in wanted.items() if event.get(key) != value}


@pytest.mark.parametrize("collector", ["process", "network"])
def test_takes_the_best_tier_that_this_kernel_has_and_says_so(device, collector):
    kernel = device.kernel
    works = device.tiers(collector)
    assert [tier for tier in works if tier in kernel.wanted(collector)] == kernel.wanted(collector), works
    assert not kernel.without & set(works)
    told = next(row for row in device.event("SystemInformation", "Collectors")["Collectors"] if row["Name"] == collector)
    assert device.tier(collector) == told["Tier"] == works[0]
    if kernel.without:  # the platform can tell the user what this device lacks
        assert told["Coverage"] != "full" and "ebpf" in told["Reason"], told


def test_stays_small(device, figure):
    memory = device.memory_kib()
    for key, value in memory.items():
        figure(f"qemu_{device.kernel.name}_{key.lower()}_kib", value)
    assert memory["Pss"] <= PSS_KIB_MAX, memory


def test_process_is_told_whole_in_each_tier(device):
    for tier in each_tier(device, "process"):
        tag = new_tag()
        path = program(device, tag)
        command = f"{path} sh -c 'sleep 30; :' 'two words' {tag}"
        # The parent stays: a busy machine starts the program when a shell that does not wait is gone.
        device.run(f"cat >run-{tag} <<'END'\ncd /tmp/place\n{command} &\necho $$ $! >ids-{tag}\nwait\nEND")
        shell, pid = device.run(f"sh run-{tag} >/dev/null & until [ -s /tmp/place/ids-{tag} ]; do usleep 10000; done; "
                                f"cat /tmp/place/ids-{tag}").split()
        event = device.event("ProcessCreate", tag, Executable=path)
        wanted = {"Executable": path, "CommandLine": f"{path} sh -c sleep 30; : two words {tag}", "ProcessId": int(pid),
                  "ParentProcessId": int(shell), "UserId": "0", "UserName": "root", "CurrentDirectory": "/tmp/place", "Source": tier}
        assert not differences(event, wanted), (tier, event)


def test_no_short_program_is_missed_with_its_arguments(device):
    for tier in each_tier(device, "process", without=("proc-connector", "procfs")):
        tag = new_tag()
        path = program(device, tag)
        device.run(f"for i in $(seq 40); do {path} true {tag} $i; done")
        for i in (1, 20, 40):
            device.event("ProcessCreate", tag, CommandLine=f"{path} true {tag} {i}")
        assert len(device.events("ProcessCreate", tag)) == 40


def test_connection_is_told_whole_in_each_tier(device):
    for tier in each_tier(device, "network"):
        tag = new_tag()
        path = program(device, tag)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            pid = device.run(f"sleep 600 | {path} nc {HOST} {port} >/dev/null & echo $!")
            listener.settimeout(120)
            with listener.accept()[0]:
                event = device.event("ConnectionCreate", str(port), RemotePort=str(port))
        wanted = {"RemoteAddress": HOST, "RemotePort": str(port), "LocalAddress": "10.0.2.15", "Direction": "Out", "Protocol": "tcp",
                  "ProcessId": int(pid), "Executable": path, "CommandLine": f"{path} nc {HOST} {port}", "UserId": "0", "Source": tier}
        wanted = {key: value for key, value in wanted.items() if key not in NOT_SEEN.get(tier, ())}
        assert not differences(event, wanted), (tier, event)


def test_connection_over_ipv6_is_told_in_each_tier(device):
    for number, tier in enumerate(each_tier(device, "network")):
        path, port = program(device, new_tag()), str(4711 + number)
        device.run(f"sleep 600 | {path} nc -l -p {port} >/dev/null & usleep 500000; sleep 600 | {path} nc ::1 {port} >/dev/null &")
        event = device.event("ConnectionCreate", port, RemotePort=port, Direction="Out")
        wanted = {"RemoteAddress": "::1", "LocalAddress": "::1", "Protocol": "tcp", "Executable": path, "Source": tier}
        wanted = {key: value for key, value in wanted.items() if key not in NOT_SEEN.get(tier, ())}
        assert not differences(event, wanted), (tier, event)


def test_failed_login_is_told_in_each_tier(device):
    for tier in ("audit", "accounting") if device.kernel.package else ("accounting",):
        device.restart(f"login={tier}")
        for attempt in range(2):  # the second shows that the length of a record is right
            user, address = f"eve{new_tag()}", f"192.0.2.{new_tag().strip('tagx')}"
            device.run(f"login_as {'audit' if tier == 'audit' else 'btmp'} {user} {address}")
            event = device.event("Login", user)
            wanted = {"UserName": user, "RemoteAddress": address, "Result": "Fail", "Operation": "LoginFailed", "Source": tier}
            assert not differences(event, wanted), (tier, attempt, event)


def test_changed_file_and_new_interface_are_told(device):
    device.run("echo hello >/tmp/watched/made && ip link add plug0 type dummy && ip link set plug0 address 02:00:00:00:00:42")
    event = device.event("FileSystem", "/tmp/watched/made")
    assert event["Mask"] == "Created" and event["Source"] == device.tier("file_system")
    assert device.tier("file_system") == ("fanotify" if device.kernel.package else "inotify")
    event = device.event("Peripheral", "plug0")
    wanted = {"PeripheralType": "Ethernet", "ActionType": "Connected", "InterfaceName": "plug0", "InterfaceKind": "virtual", "Source": "uevent"}
    assert not differences(event, wanted), event


USB = {  # what QEMU's devices say of themselves
    "usb-kbd": {"VendorId": "0627", "ProductId": "0001", "InterfaceClass": 3, "Product": "QEMU USB Keyboard"},
    "usb-storage": {"VendorId": "46f4", "ProductId": "0001", "InterfaceClass": 8, "Product": "QEMU USB HARDDRIVE"},
}


def test_usb_device_that_is_plugged_and_pulled_is_told(device):
    if not device.kernel.usb:
        return
    for driver, description in USB.items():
        more = {"drive": "stick"} if driver == "usb-storage" else {}
        device.guest.qmp("device_add", driver=driver, id=driver, bus="usb.0", **more)
        wanted = {"PeripheralType": "Usb", "Manufacturer": "QEMU", "DeviceClass": 0, "Source": "uevent", **description}
        for action in ("Connected", "Disconnected"):
            event = device.event("Peripheral", description["VendorId"], ActionType=action)
            assert not differences(event, wanted), event
            assert event["BusNumber"] > 0 and event["KernelDeviceNumber"] > 0
            if action == "Connected":
                device.guest.qmp("device_del", id=driver)


def test_self_test_passes(device):
    assert "raised the alert" in device.run("picket-agent selftest --timeout 120s")
