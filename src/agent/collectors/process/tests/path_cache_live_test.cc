// Tier "ebpf" keeps paths in the kernel (bpf/path_cache.bpf.h): each exec must carry the paths as they are at its
// moment.
#include <filesystem>

#include <sched.h>

#include "process/tests/process_live.h"

namespace picket::agent {
namespace {

/// A folder with a program two levels below, in a mount namespace of this process's own.
class Tree {
 public:
  Tree() {
    std::filesystem::create_directories(root + "/upper/lower");
    std::filesystem::copy_file("/bin/true", root + "/upper/lower/program");
  }
  ~Tree() {
    if (chdir("/") == 0) std::filesystem::remove_all(root);
  }

  const std::string root = "/tmp/picket-paths-" + std::to_string(getpid());
};

/// Runs a program in a folder and tells what was told of it. The second time its paths come from what is kept.
void expect_paths(Bench& bench, const std::string& program, const std::string& folder) {
  for (int i = 0; i < 3; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      if (chdir(folder.c_str()) == 0) execl(program.c_str(), program.c_str(), nullptr);
      _exit(1);
    }
    EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }, 30));
    waitpid(pid, nullptr, 0);
    const KeptProcess* kept = find_exec(bench.sink, pid);
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(kept->executable, program);
    EXPECT_EQ(kept->cwd, folder);
  }
}

TEST(ProcessPathCache, FollowsARenameOfTheFileAndOfEachFolderAboveIt) {
  PICKET_NEEDS_ROOT();
  const Tree tree;
  Bench bench("process", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  const std::string& root = tree.root;
  expect_paths(bench, root + "/upper/lower/program", root + "/upper/lower");
  std::filesystem::rename(root + "/upper/lower/program", root + "/upper/lower/nrogram");  // as long as before
  expect_paths(bench, root + "/upper/lower/nrogram", root + "/upper/lower");
  std::filesystem::rename(root + "/upper/lower", root + "/upper/rower");
  expect_paths(bench, root + "/upper/rower/nrogram", root + "/upper/rower");
  std::filesystem::rename(root + "/upper", root + "/other");
  expect_paths(bench, root + "/other/rower/nrogram", root + "/other/rower");
  std::filesystem::rename(root + "/other/rower", root + "/rower");  // to another folder
  expect_paths(bench, root + "/rower/nrogram", root + "/rower");
  std::filesystem::create_directories(root + "/upper");
  std::filesystem::rename(root + "/rower", root + "/upper/lower");
  std::filesystem::rename(root + "/upper/lower/nrogram", root + "/upper/lower/program");
  expect_paths(bench, root + "/upper/lower/program", root + "/upper/lower");  // what it was at first
}

TEST(ProcessPathCache, ANewFileWhereAnotherWasRemovedHasItsOwnName) {
  PICKET_NEEDS_ROOT();
  const Tree tree;
  Bench bench("process", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  // The kernel gives the memory of an entry that has gone to one that comes.
  for (int i = 0; i < 20; ++i) {
    const std::string folder = tree.root + "/f" + std::to_string(10 + i),
                      program = folder + "/p" + std::to_string(i % 7);
    std::filesystem::create_directory(folder);
    std::filesystem::copy_file("/bin/true", program);
    const pid_t pid = spawn({program});
    waitpid(pid, nullptr, 0);
    std::filesystem::remove_all(folder);
    EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }, 30));
    const KeptProcess* kept = find_exec(bench.sink, pid);
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(kept->executable, program);
  }
}

TEST(ProcessPathCache, FollowsMounts) {
  PICKET_NEEDS_ROOT();
  const Tree tree;
  ASSERT_EQ(unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  Bench bench("process", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  const std::string from = tree.root + "/upper", places = tree.root + "/places";
  const std::string first = places + "/first", second = tree.root + "/second";
  std::filesystem::create_directories(first);
  std::filesystem::create_directories(second);
  expect_paths(bench, from + "/lower/program", from + "/lower");
  ASSERT_EQ(mount(from.c_str(), first.c_str(), nullptr, MS_BIND, nullptr), 0);
  expect_paths(bench, first + "/lower/program", first + "/lower");
  expect_paths(bench, from + "/lower/program", first + "/lower");
  ASSERT_EQ(mount(first.c_str(), second.c_str(), nullptr, MS_MOVE, nullptr), 0);
  expect_paths(bench, second + "/lower/program", second + "/lower");
  ASSERT_EQ(umount(second.c_str()), 0);
  ASSERT_EQ(mount(from.c_str(), first.c_str(), nullptr, MS_BIND, nullptr), 0);
  std::filesystem::rename(places, tree.root + "/others");  // the mount goes with the folder above it
  const std::string third = tree.root + "/others/first";
  expect_paths(bench, third + "/lower/program", third + "/lower");
  ASSERT_EQ(umount(third.c_str()), 0);
  expect_paths(bench, from + "/lower/program", from + "/lower");
}

TEST(ProcessPathCache, LongPathsAreWholeThoughTheyAreNotKept) {
  PICKET_NEEDS_ROOT();
  const Tree tree;
  Bench bench("process", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  std::string folder = tree.root;
  for (int i = 0; i < 3; ++i) folder += "/" + std::string(120, static_cast<char>('a' + i));
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file("/bin/true", folder + "/program");
  expect_paths(bench, folder + "/program", folder);
  expect_paths(bench, tree.root + "/upper/lower/program", folder);
}

}  // namespace
}  // namespace picket::agent
