#include "storage_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace picket::hub {
namespace {

class StorageFilesTest : public ::testing::Test {
 protected:
  StorageFilesTest() {
    char name[] = "/tmp/picket-routes-XXXXXX";
    folder = ::mkdtemp(name);
    endpoint.name = "archive";
    endpoint.container = "telemetry";
    endpoint.batch_time = Duration::seconds(60);
    endpoint.chunk_bytes = 100;
  }
  ~StorageFilesTest() override { std::filesystem::remove_all(folder); }

  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) out.push_back(entry.path().string().substr(folder.size() + 1));
    }
    std::ranges::sort(out);
    return out;
  }
  [[nodiscard]] std::string content(const std::string& file) const {
    std::ostringstream out;
    out << std::ifstream(folder + "/" + file).rdbuf();
    return out.str();
  }

  std::string folder;
  StorageEndpoint endpoint;
  Timestamp noon{1'700'000'000'000'000};  // 2023-11-14T22:13:20Z
};

TEST_F(StorageFilesTest, FileIsFinishedAfterItsTimeAndNotBefore) {
  StorageFiles store(folder);
  ASSERT_TRUE(store.append(endpoint, "h", 3, noon, "one\n").has_value());
  EXPECT_EQ(store.finish_due(noon + Duration::seconds(59)).value(), 0u);
  EXPECT_EQ(files(), std::vector<std::string>{"telemetry/h/03/2023/11/14/22/13.json.part"});
  EXPECT_EQ(store.finish_due(noon + Duration::seconds(60)).value(), 1u);
  EXPECT_EQ(files(), std::vector<std::string>{"telemetry/h/03/2023/11/14/22/13.json"});
  EXPECT_EQ(content(files()[0]), "one\n");
}

TEST_F(StorageFilesTest, FullFileIsFollowedByAnotherOfTheSameMinute) {
  StorageFiles store(folder);
  const std::string line = std::string(59, 'x') + "\n";
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store.append(endpoint, "h", 0, noon, line).has_value());
  EXPECT_EQ(store.finish_all().value(), 1u);
  EXPECT_EQ(files().size(), 3u);
  for (const auto& file : files()) EXPECT_EQ(content(file), line);
}

TEST_F(StorageFilesTest, WhatACrashLeavesIsFinishedAtTheNextStart) {
  {
    StorageFiles store(folder);
    ASSERT_TRUE(store.append(endpoint, "h", 0, noon, "one\n").has_value());
    ASSERT_TRUE(store.sync().has_value());
  }
  StorageFiles store(folder);
  EXPECT_EQ(store.recover().value(), 1u);
  EXPECT_EQ(files(), std::vector<std::string>{"telemetry/h/00/2023/11/14/22/13.json"});
  ASSERT_TRUE(store.append(endpoint, "h", 0, noon, "two\n").has_value());
  EXPECT_EQ(store.finish_all().value(), 1u);
  EXPECT_EQ(files().size(), 2u);
}

TEST_F(StorageFilesTest, NamesOfHubsCannotLeaveTheFolder) {
  StorageFiles store(folder);
  ASSERT_TRUE(store.append(endpoint, "../../x", 0, noon, "one\n").has_value());
  EXPECT_EQ(store.finish_all().value(), 1u);
  EXPECT_EQ(files(), std::vector<std::string>{"telemetry/______x/00/2023/11/14/22/13.json"});
}

}  // namespace
}  // namespace picket::hub
