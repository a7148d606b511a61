#include "base/core/file.h"

#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace picket {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "picket_file_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
};

TEST_F(FileTest, ReplacesContentAndPermissionsAtOnce) {
  const std::string path = folder_ + "/secret";
  ASSERT_TRUE(replace_file(path, as_bytes("old"), 0644));
  ASSERT_TRUE(replace_file(path, as_bytes("new"), 0600));
  EXPECT_EQ(*read_file(path, 100), "new");
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600);
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST_F(FileTest, ReadsNoMoreThanItsBound) {
  const std::string path = folder_ + "/big";
  ASSERT_TRUE(replace_file(path, as_bytes(std::string(1'000, 'x'))));
  EXPECT_EQ(read_file(path, 1'000)->size(), 1'000u);
  EXPECT_EQ(read_file(path, 999).error().code, Errc::limit_exceeded);
  EXPECT_GT(read_file("/proc/self/status", 100'000)->size(), 0u);
}

TEST_F(FileTest, SaysWhatTheSystemSaid) {
  const auto missing = read_file(folder_ + "/none", 10);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_EQ(describe(missing.error()), "file.open: not found: No such file or directory");
  const auto folder = read_file(folder_, 10);
  EXPECT_EQ(folder.error().code, Errc::io);
  EXPECT_EQ(folder.error().os_error, EISDIR);
}

TEST_F(FileTest, MakesFoldersOnce) {
  ASSERT_TRUE(make_directories(folder_ + "/a/b/c"));
  ASSERT_TRUE(make_directories(folder_ + "/a/b/c"));
  struct stat info{};
  ASSERT_EQ(::stat((folder_ + "/a/b/c").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700);
}

}  // namespace
}  // namespace picket
