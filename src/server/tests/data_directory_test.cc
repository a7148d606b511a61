#include "data_directory.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

namespace picket::server {
namespace {

class DataDirectoryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "picket_data_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(DataDirectoryTest, KeepsItsInstallationId) {
  std::string id;
  {
    const auto made = DataDirectory::open(folder_ + "/d");
    ASSERT_TRUE(made) << describe(made.error());
    id = made->installation_id();
    EXPECT_EQ(id.size(), 36u);
  }
  EXPECT_EQ(DataDirectory::open(folder_ + "/d")->installation_id(), id);
}

TEST_F(DataDirectoryTest, KeepsSecretsToTheOwner) {
  const auto made = DataDirectory::open(folder_ + "/d");
  struct stat info{};
  ASSERT_EQ(::stat(made->secrets().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700);
}

TEST_F(DataDirectoryTest, RefusesASecondServer) {
  const auto first = DataDirectory::open(folder_);
  ASSERT_TRUE(first);
  const auto second = DataDirectory::open(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().where, "data.lock");
}

TEST_F(DataDirectoryTest, RefusesANewerLayoutAndADamagedOne) {
  const auto with_version = [&](std::string_view text) {
    EXPECT_TRUE(replace_file(folder_ + "/VERSION", as_bytes(text)));
    return DataDirectory::open(folder_);
  };
  EXPECT_EQ(with_version("2\n" + std::string(36, 'a') + "\n").error().code, Errc::unsupported);
  for (const char* text : {"", "x\n", "1", "1\nshort\n", "1x\n"}) {
    EXPECT_EQ(with_version(text).error().code, Errc::malformed) << text;
  }
  EXPECT_TRUE(with_version("1\n" + std::string(36, 'a') + "\n"));
}

}  // namespace
}  // namespace picket::server
