// A database in a folder of its own that is removed with it.
#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

class TemporaryDatabase {
 public:
  TemporaryDatabase() {
    std::string pattern = testing::TempDir() + "picket_state_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    reopen();
  }
  ~TemporaryDatabase() {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void reopen() {
    database_.reset();
    auto opened = Database::open(path());
    EXPECT_TRUE(opened) << describe(opened.error());
    database_ = *std::move(opened);
  }
  void close() { database_.reset(); }
  Database& operator*() { return *database_; }
  [[nodiscard]] std::string path() const { return folder_ + "/state.sqlite"; }

 private:
  std::string folder_;
  std::unique_ptr<Database> database_;
};

inline const Actor kTester{"tester", "127.0.0.1"};
inline constexpr Timestamp kNow{1'795'000'000'000'000};

}  // namespace picket::state
