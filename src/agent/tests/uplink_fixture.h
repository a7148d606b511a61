// An uplink with a spool, a loop and a certificate authority of its own.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "agent/uplink.h"
#include "base/core/file.h"
#include "mini_hub.h"

namespace picket::agent {

inline constexpr std::string_view kTestKey = "a2V5";

class UplinkTest : public ::testing::Test {
 protected:
  void connect_to(std::uint16_t port, std::string gateway = "127.0.0.1", std::string module = "",
                  UplinkSettings settings = {.transport = UplinkTransport::mqtt}) {
    std::string text = "HostName=hub.example;DeviceId=dev#1;SharedAccessKey=" + std::string(kTestKey) +
                       ";GatewayHostName=" + gateway + ":" + std::to_string(port);
    if (!module.empty()) text += ";ModuleId=" + module;
    start({.settings = settings}, *parse_connection_string(text));
  }
  /// Any identity: none means `options.provisioning`.
  void start(UplinkOptions options, std::optional<ConnectionString> identity, TlsFiles files = {}) {
    if (files.ca_file.empty()) files.ca_file = write("ca.crt", authority_.pem());
    auto tls = TlsMaterial::open(files);
    ASSERT_TRUE(tls) << tls.error();
    options.agent_version = "0.1";
    options.agent_id = "11111111-1111-4111-8111-111111111111";
    options.boot_id = "22222222-2222-4222-8222-222222222222";
    uplink_ = std::make_unique<Uplink>(std::move(options), std::move(identity), loop_, *std::move(tls), spool_);
    uplink_->on_warning([this](std::string_view text) { warnings_.emplace_back(text); });
    uplink_->start();
  }
  void put(std::string_view event, Priority priority = Priority::urgent) {
    ASSERT_TRUE(spool_.append(priority, as_bytes(event), system_clock().now()));
    if (uplink_) uplink_->wake();
  }
  /// Runs the loop until `done`; false after a minute.
  template <class Done>
  bool run_until(Done&& done) {
    const Duration end = system_clock().monotonic() + Duration::seconds(60);
    while (!done()) {
      if (system_clock().monotonic() > end || !loop_.run_once(Duration::milliseconds(20))) return false;
      if (uplink_) uplink_->wake();
    }
    return true;
  }
  bool run_until_sent() {
    return run_until([this] { return spool_.pending() == 0; });
  }

  /// Path of a file with this content in the test's own folder.
  std::string write(const std::string& name, std::string_view content) {
    const std::string path = folder_ + "/" + name;
    EXPECT_TRUE(replace_file(path, as_bytes(content)));
    return path;
  }
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "picket-uplink-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::vector<std::string> warnings_;
  test::TestAuthority authority_;
  EventLoop loop_ = *EventLoop::create(system_clock());
  Spool spool_ = *Spool::open({.directory = "", .memory_max = 4 << 20}, system_clock().now());
  std::unique_ptr<Uplink> uplink_;
};

}  // namespace picket::agent
