// Lines of the PAM log, of the retired agent's form and with what ours adds.
#include "login/pam_line.h"

#include <gtest/gtest.h>

namespace picket::agent {
namespace {

using Kind = LoginRecord::Kind;

TEST(PamLine, ReadsTheRetiredAgentsForm) {
  const auto login = parse_pam_line("2021-11-04T15:11:18+00:00,1000,2,open_session,sshd,ada,192.0.2.7,ssh,0");
  ASSERT_TRUE(login);
  EXPECT_EQ(login->kind, Kind::login);
  EXPECT_EQ(format_rfc3339(login->time).substr(0, 19), "2021-11-04T15:11:18");
  EXPECT_EQ(login->service, "sshd");
  EXPECT_EQ(login->user, "ada");
  EXPECT_EQ(login->remote_host, "192.0.2.7");
  EXPECT_EQ(login->terminal, "ssh");
  EXPECT_EQ(login->pid, 0u) << "nobody says what the numbers are";
  EXPECT_EQ(login->session, 0u);
  EXPECT_EQ(parse_pam_line("2021-11-04T15:11:18Z,1,2,close_session,login,ada,,/dev/tty1,1")->kind, Kind::logout);
  EXPECT_EQ(parse_pam_line("2021-11-04T15:11:18Z,1,2,auth,sshd,ada,192.0.2.7,ssh,2")->kind, Kind::login_failed);
}

TEST(PamLine, ReadsWhatOursAdds) {
  const auto line =
      parse_pam_line("2026-11-22T09:11:18+0100,0,0,open_session,sudo,root,,/dev/pts/3,0,pid=4711,ses=12,by=ada\r");
  ASSERT_TRUE(line);
  EXPECT_EQ(format_rfc3339(line->time).substr(0, 19), "2026-11-22T08:11:18") << "date(1) writes no colon";
  EXPECT_EQ(line->pid, 4711u);
  EXPECT_EQ(line->session, 12u);
  EXPECT_EQ(line->by, "ada");
  EXPECT_EQ(line->terminal, "/dev/pts/3");
  EXPECT_EQ(parse_pam_line("2026-11-22T09:11:18Z,0,0,open_session,sshd,a,,ssh,0,ses=4294967295")->session, 0u);
}

// The other side chooses the name of a user that fails; what stands behind it is the service's.
TEST(PamLine, ANameCannotPassForOtherFields) {
  const auto line =
      parse_pam_line("2026-11-22T09:11:18Z,0,0,auth,sshd,x,10.0.0.1,ssh,0,pid=1,192.0.2.7,ssh,2,pid=9,by=");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->kind, Kind::login_failed);
  EXPECT_EQ(line->user, "x,10.0.0.1,ssh,0,pid=1");
  EXPECT_EQ(line->remote_host, "192.0.2.7");
  EXPECT_EQ(line->pid, 9u);
}

TEST(PamLine, WhatIsNoLoginDoesNotCount) {
  for (const char* line :
       {"2026-11-22T09:11:18Z,0,0,auth,sshd,ada,192.0.2.7,ssh,0",              // right; its session follows
        "2026-11-22T09:11:18Z,0,0,open_session,cron,root,,cron,0",             // a job
        "2026-11-22T09:11:18Z,0,0,open_session,su,ada,,/dev/pts/0,0,by=root",  // root becomes anybody
        "2026-11-22T09:11:18Z,0,0,open_session,sshd,ada,192.0.2.7,ssh,1",      // contradicts itself
        "2026-11-22T09:11:18Z,x,0,open_session,sshd,ada,192.0.2.7,ssh,0",
        "yesterday,0,0,open_session,sshd,ada,192.0.2.7,ssh,0", "2026-11-22T09:11:18Z,0,0,open_session,sshd,ada,0", "",
        ",,,,,,,,", "pid=1"}) {
    EXPECT_FALSE(parse_pam_line(line)) << line;
  }
}

}  // namespace
}  // namespace picket::agent
