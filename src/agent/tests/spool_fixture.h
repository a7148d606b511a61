// A spool in a folder of its own, and words to put, take and drain messages.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "agent/spool.h"

namespace picket::agent {

inline constexpr Timestamp kNow{1'800'000'000'000'000};

class SpoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "picket-spool-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  SpoolOptions options() const { return {.directory = directory_, .bytes_max = 256 << 10}; }
  Spool open() { return open(options()); }
  static Spool open(SpoolOptions options, Timestamp now = kNow) {
    auto spool = Spool::open(std::move(options), now);
    EXPECT_TRUE(spool.has_value()) << describe(spool.error());
    return *std::move(spool);
  }
  std::vector<std::filesystem::path> segments() const {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      if (entry.path().extension() == ".spool") out.push_back(entry.path());
    }
    std::ranges::sort(out);
    return out;
  }
  std::string directory_;
};

inline StreamId put(Spool& spool, std::string_view text, Priority priority = Priority::medium, Timestamp now = kNow) {
  auto id = spool.append(priority, as_bytes(text), now);
  EXPECT_TRUE(id.has_value()) << describe(id.error());
  return id.value_or(StreamId{});
}

/// Gives out everything that can be sent now.
inline std::vector<std::string> take(Spool& spool, Timestamp now = kNow) {
  std::vector<std::string> out;
  while (auto entry = spool.next(now)) out.emplace_back(as_text(entry->payload));
  return out;
}

/// Sends and acknowledges until nothing is left.
inline std::vector<std::string> drain(Spool& spool, Timestamp now = kNow) {
  std::vector<std::string> out;
  while (auto entry = spool.next(now)) {
    out.emplace_back(as_text(entry->payload));
    EXPECT_TRUE(spool.acknowledge(entry->id));
  }
  return out;
}

}  // namespace picket::agent
