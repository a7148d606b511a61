// The descriptions of tracepoints in tracefs.
#include <gtest/gtest.h>

#include "process/tracepoint_format.h"

namespace picket::agent {
namespace {

constexpr std::string_view kFormat =
    "name: sched_process_exec\nID: 365\nformat:\n"
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n"
    "\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n"
    "\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;\n"
    "\tfield:pid_t old_pid;\toffset:16;\tsize:4;\tsigned:1;\n\n"
    "print fmt: \"filename=%s pid=%d old_pid=%d\", __get_str(filename), REC->pid, REC->old_pid\n";

TEST(TracepointField, IsFoundByItsWholeName) {
  ASSERT_TRUE(tracepoint_field(kFormat, "pid"));
  EXPECT_EQ(tracepoint_field(kFormat, "filename")->offset, 8u);
  EXPECT_EQ(tracepoint_field(kFormat, "pid")->offset, 12u);
  EXPECT_EQ(tracepoint_field(kFormat, "old_pid")->offset, 16u);
  EXPECT_EQ(tracepoint_field(kFormat, "common_type")->bytes, 2u);
  EXPECT_FALSE(tracepoint_field(kFormat, "id"));
  EXPECT_FALSE(tracepoint_field("", "pid"));
}

TEST(TracepointField, WithoutAPlaceIsNone) {
  EXPECT_FALSE(tracepoint_field("\tfield:int a;\tsize:4;\n", "a"));
  EXPECT_FALSE(tracepoint_field("\tfield:int a;\toffset:x;\tsize:4;\n", "a"));
  EXPECT_FALSE(tracepoint_field("\tfield:int a;\toffset:65536;\tsize:4;\n", "a"));
  EXPECT_FALSE(tracepoint_field("; field:int a", "a"));
}

}  // namespace
}  // namespace picket::agent
