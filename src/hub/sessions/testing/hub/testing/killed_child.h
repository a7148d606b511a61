// A child process that is killed in the middle of its work, and what it said before. POSIX; the test must have no other
// threads at that moment.
#pragma once

#include <algorithm>
#include <csignal>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace picket::hub {

/// In the child: one line, whole.
inline void say(int fd, const std::string& line) {
  const auto text = line + "\n";
  if (::write(fd, text.data(), text.size()) < 0) ::_exit(2);
}

/// Runs `work`, which goes on for ever and say()s something now and then; kills it with SIGKILL after `lines_min`
/// lines. Returns all that it said, also what was still under way.
inline std::string run_and_kill(const std::function<void(int fd)>& work, int lines_min) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const auto pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    work(ends[1]);
    ::_exit(3);
  }
  ::close(ends[1]);
  std::string out;
  char buffer[4096];
  bool alive = true;
  for (;;) {
    const auto got = ::read(ends[0], buffer, sizeof buffer);
    if (got <= 0) break;
    out.append(buffer, static_cast<std::size_t>(got));
    if (alive && std::count(out.begin(), out.end(), '\n') >= lines_min) {
      ::kill(pid, SIGKILL);
      alive = false;
    }
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
  return out;
}

}  // namespace picket::hub
