// Signals to a real process: the one that was meant, and no other.
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../process_action.h"
#include "agent/hardening.h"

namespace picket::agent {
namespace {

class ProcessAction : public ::testing::Test {
 protected:
  ProcessAction() : child_(::fork()) {
    if (child_ == 0) {
      for (;;) ::pause();
    }
  }
  ~ProcessAction() override {
    if (reaped_) return;  // its number may be another process's by now
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  ActionResult act(std::string_view action, const std::string& more = "") const {
    const std::string text = R"({"pid":)" + std::to_string(child_) + more + "}";
    return signal_process(action, parse_json(text).value());
  }
  int wait_status(int options) {
    int status = 0;
    EXPECT_EQ(::waitpid(child_, &status, options), child_);
    reaped_ = WIFSIGNALED(status);
    return status;
  }
  pid_t child_;
  bool reaped_ = false;
};

TEST_F(ProcessAction, SuspendsResumesAndKills) {
  EXPECT_EQ(act("suspend").status, 200);
  EXPECT_TRUE(WIFSTOPPED(wait_status(WUNTRACED)));
  EXPECT_EQ(act("resume").status, 200);
  EXPECT_TRUE(WIFCONTINUED(wait_status(WCONTINUED)));
  const ActionResult killed = act("kill");
  EXPECT_EQ(killed.status, 200);
  EXPECT_THAT(killed.details, ::testing::HasSubstr("startTicks"));
  const int status = wait_status(0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
}

TEST_F(ProcessAction, LeavesAnotherProcessOfTheSameNumberAlone) {
  EXPECT_EQ(act("kill", R"(,"startTicks":1)").status, 404);
  EXPECT_EQ(::waitpid(child_, nullptr, WNOHANG), 0);
}

TEST_F(ProcessAction, KillsTheOneThatWasMeant) {
  const std::string details = act("resume").details;  // "startTicks":N
  EXPECT_EQ(act("kill", "," + details).status, 200);
  EXPECT_TRUE(WIFSIGNALED(wait_status(0)));
}

TEST_F(ProcessAction, SaysThatThereIsNone) {
  ::kill(child_, SIGKILL);
  EXPECT_TRUE(WIFSIGNALED(wait_status(0)));
  EXPECT_EQ(act("kill").status, 404);
}

TEST_F(ProcessAction, WorksWithWhatHardeningLeaves) {
  const pid_t hardened = ::fork();
  if (hardened == 0) {
    for (const HardeningPart& part : harden({}, {})) {
      if (!part.problem.empty()) ::_exit(2);
    }
    ::_exit(act("suspend").status == 200 ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(hardened, &status, 0), hardened);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(WIFSTOPPED(wait_status(WUNTRACED)));
}

}  // namespace
}  // namespace picket::agent
