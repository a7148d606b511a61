// Control group paths as container engines make them.
#include "support/container_id.h"

#include <gtest/gtest.h>

#include "support/argv_hash.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

const std::string kId = "8b9a5c0f3d1e2b4a69788796a5b4c3d2e1f00112233445566778899aabbccdde";
const std::string kInner(64, 'a');

TEST(ContainerId, KnowsTheFormsOfTheEngines) {
  for (const std::string& path : {
           "/docker/" + kId,                           // Docker, cgroupfs
           "/system.slice/docker-" + kId + ".scope",   // Docker, systemd
           "/machine.slice/libpod-" + kId + ".scope",  // Podman
           "/libpod_parent/libpod-" + kId,             // Podman, cgroupfs
           "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + kId + ".scope/container",
           "/kubepods/besteffort/pod8a3f/" + kId,  // any engine, cgroupfs
           "/kubepods.slice/kubepods-pod8a3f.slice/cri-containerd-" + kId + ".scope",
           "/system.slice/containerd.service/kubepods-burstable-pod8a3f.slice:cri-containerd:" + kId,
           "/kubepods.slice/kubepods-pod8a3f.slice/crio-" + kId + ".scope",  // CRI-O
           "/default/" + kId,                                                // containerd by nerdctl
           "/docker/" + kId + "/init.scope",                                 // systemd inside
       }) {
    EXPECT_EQ(container_of_cgroup(path), kId) << path;
  }
}

TEST(ContainerId, NamesLxcContainersAsLxcDoes) {
  EXPECT_EQ(container_of_cgroup("/lxc/web"), "web");
  EXPECT_EQ(container_of_cgroup("/lxc/web/init.scope"), "web");
  EXPECT_EQ(container_of_cgroup("/lxc.payload/web/system.slice/ssh.service"), "web");
  EXPECT_EQ(container_of_cgroup("/lxc.payload.web/system.slice/ssh.service"), "web");
  EXPECT_EQ(container_of_cgroup("/lxc.monitor.web"), "");
  EXPECT_EQ(container_of_cgroup("/lxc"), "");
  EXPECT_EQ(container_of_cgroup("/lxc/" + std::string(kContainerIdMax, 'n')), std::string(kContainerIdMax, 'n'));
  EXPECT_EQ(container_of_cgroup("/lxc/" + std::string(kContainerIdMax + 1, 'n')), "");
}

TEST(ContainerId, OfContainersInContainersIsTheInnermost) {
  EXPECT_EQ(container_of_cgroup("/docker/" + kId + "/kubelet/kubepods/pod1/cri-containerd-" + kInner + ".scope"),
            kInner);
}

TEST(ContainerId, TheHostAndAMonitorAreInNone) {
  for (const std::string& path : std::vector<std::string>{
           "", "/", "/init.scope", "/system.slice/ssh.service", "/user.slice/user-0.slice/session-3.scope",
           "/machine.slice/libpod-conmon-" + kId + ".scope", "/pod/crio-conmon-" + kId + ".scope",
           "/process_api/3e941f22eff9bbe50e5832eeee5ee54d",     // 32 digits are no container
           "/docker/" + kId.substr(1), "/docker/" + kId + "f",  // 63, 65
           "/docker/" + std::string(64, 'A'), "/docker/x" + kId}) {
    EXPECT_EQ(container_of_cgroup(path), "") << path;
  }
}

TEST(ContainerId, TakesAnyHierarchyOfTheFile) {
  EXPECT_EQ(container_of_cgroup_file("9:name=systemd:/\n4:memory:/docker/" + kId + "\n0::/system.slice/x\n"), kId);
  EXPECT_EQ(container_of_cgroup_file("0::/system.slice/docker-" + kId + ".scope"), kId);
  EXPECT_EQ(container_of_cgroup_file("0::/init.scope\n"), "");
  EXPECT_EQ(container_of_cgroup_file("nonsense\n::\n:\n"), "");
}

TEST(ArgvHash, IsOneNumberHoweverTheBytesCome) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes.push_back(static_cast<char>(i * 37));
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    ArgvHash hash;
    hash.add(std::string_view(bytes).substr(0, cut));
    hash.add(std::string_view(bytes).substr(cut));
    EXPECT_EQ(hash.value(), argv_hash(bytes)) << cut;
  }
  // (offset basis ^ word) * prime, in numbers that the kernel's program must find too.
  EXPECT_EQ(argv_hash(std::string_view("a\0\0", 3)), (0xcbf29ce484222325ULL ^ 'a') * 0x100000001b3ULL);
  EXPECT_NE(argv_hash("12345678"), argv_hash("12345679"));
}

TEST(TerminalName, IsTheDevicesName) {
  const auto name = [](std::uint32_t major, std::uint32_t minor) {
    std::array<char, kTerminalBytesMax> out;
    return std::string(terminal_name((minor & 0xff) | major << 8 | (minor & 0xfff00) << 12, out));
  };
  EXPECT_EQ(name(136, 3), "pts/3");
  EXPECT_EQ(name(137, 3), "pts/259");
  EXPECT_EQ(name(136, 300), "pts/300");
  EXPECT_EQ(name(4, 1), "tty1");
  EXPECT_EQ(name(4, 64), "ttyS0");
  EXPECT_EQ(name(204, 64), "ttyAMA0");
  EXPECT_EQ(name(5, 1), "console");
  EXPECT_EQ(name(250, 9), "250:9");
  EXPECT_EQ(name(0, 0), "");
}

}  // namespace
}  // namespace picket::agent
