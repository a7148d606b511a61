// A process that is killed at a random point loses no version that it has acknowledged.
#include <random>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/twins.h"
#include "twins_fixture.h"

namespace picket::hub {
namespace {

class TwinsCrashTest : public TwinsFixture {
 protected:
  // Patches for ever and writes each acknowledged version into the pipe. Never returns.
  [[noreturn]] void patch_for_ever(const IdentityKey& key, int acknowledged) {
    open();
    for (int i = 0;; ++i) {
      const auto patched = patch(key, "{\"properties\":{\"desired\":{\"n\":" + std::to_string(i) + "}}}");
      if (!patched) ::_exit(1);
      const std::int64_t version = *json(*patched).find("properties")->find("desired")->integer_of("$version");
      if (::write(acknowledged, &version, sizeof version) != sizeof version) ::_exit(1);
    }
  }

  // Starts the child, kills it after `count` acknowledgements, returns the last one that came.
  std::int64_t run_and_kill(const IdentityKey& key, int count) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      patch_for_ever(key, ends[1]);
    }
    ::close(ends[1]);
    std::int64_t last = 0;
    for (int i = 0; i < count; ++i) {
      if (::read(ends[0], &last, sizeof last) != sizeof last) break;
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    while (::read(ends[0], &last, sizeof last) == sizeof last) {
    }
    ::close(ends[0]);
    return last;
  }
};

TEST_F(TwinsCrashTest, VersionsNeverGoBackWhenTheProcessIsKilled) {
  const auto key = add("d");
  close();
  std::mt19937 random(7);
  std::int64_t before = 1;
  for (int round = 0; round < 5; ++round) {
    const std::int64_t acknowledged = run_and_kill(key, 1 + static_cast<int>(random() % 40));
    open();
    const std::int64_t now = *twin(key).find("properties")->find("desired")->integer_of("$version");
    EXPECT_GT(acknowledged, before);
    EXPECT_GE(now, acknowledged);
    EXPECT_LE(now, acknowledged + 1);
    before = now;
    close();
  }
}

}  // namespace
}  // namespace picket::hub
