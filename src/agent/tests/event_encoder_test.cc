#include "agent/event_encoder.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "agent/outbox.h"

namespace picket::agent {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;
using ::testing::Not;

struct Sink final : EventSink {
  std::vector<std::pair<Priority, std::string>> events;
  void deliver(Priority priority, std::string_view event) override { events.emplace_back(priority, event); }
};

class EncoderTest : public ::testing::Test {
 protected:
  EncoderTest() : path_(::testing::TempDir() + "picket-passwd-" + std::to_string(::getpid())) {
    std::ofstream(path_) << "root:x:0:0::/:/bin/sh\nbroken\n:x:5:\nada:x:1000:1000::/home/ada:/bin/sh\n";
  }
  ~EncoderTest() override { std::filesystem::remove(path_); }
  const std::string& last() const { return sink_.events.back().second; }

  std::string path_;
  Sink sink_;
  UserNames users_{path_};
  AgentFacts facts_;
  EventEncoder encoder_{sink_, users_, [this] { return facts_; }};
  Hits once_{1, Timestamp{1'800'000'000'000'000}, Timestamp{1'800'000'000'000'000}};
};

TEST_F(EncoderTest, ProcessCarriesTheClassicKeys) {
  ProcessRecord record;
  record.time = {once_.first, Duration::seconds(100)};
  record.start = Duration::seconds(99);
  record.executable = "/usr/bin/ls";
  const std::string argv = "ls\0-l\0\xff"s;
  record.argv = argv;
  record.pid = 7;
  record.ppid = 6;
  record.uid = 1000;
  record.credentials_known = true;
  record.origin.tier = "ebpf";
  record.stdio[0] = {.kind = StdioFact::Kind::socket, .family = 2, .inode = 9, .remote = {{{192, 0, 2, 9}, 4}, 4444}};
  record.stdio[1] = {.kind = StdioFact::Kind::socket, .family = 1, .inode = 10};
  encoder_.process(record, once_, Priority::urgent);
  EXPECT_EQ(sink_.events.back().first, Priority::urgent);
  for (const char* part :
       {R"("Name":"ProcessCreate")", R"("TimestampUTC":"2027-01-15T08:00:00.000000Z")", R"("CommandLine":"ls -l )",
        R"("Executable":"/usr/bin/ls")", R"("ProcessId":7)", R"("ParentProcessId":6)", R"("UserId":"0")",
        R"("UserName":"root")", R"("RealUserId":"1000")", R"("StdinSocket":"192.0.2.9:4444")",
        R"("StdoutSocket":"socket:[10]")", R"("ProcessStartUtc":"2027-01-15T07:59:59.000000Z")",
        R"("Source":"ebpf")"}) {
    EXPECT_THAT(last(), HasSubstr(part));
  }
  EXPECT_THAT(last(), Not(HasSubstr("HitCount")));
  EXPECT_THAT(last(), Not(HasSubstr("StderrSocket")));
}

TEST_F(EncoderTest, AnAggregateSaysWhatItStandsFor) {
  ProcessRecord record;
  record.executable = "/x (deleted)";
  record.executable_deleted = true;
  record.time.wall = once_.first;
  encoder_.process(record, {4, once_.first, once_.first + Duration::seconds(9)}, Priority::medium);
  EXPECT_THAT(last(), HasSubstr(R"("HitCount":4)"));
  EXPECT_THAT(last(), HasSubstr(R"("StartTimeUtc":"2027-01-15T08:00:00.000000Z")"));
  EXPECT_THAT(last(), HasSubstr(R"("EndTimeUtc":"2027-01-15T08:00:09.000000Z")"));
  EXPECT_THAT(last(), HasSubstr(R"("ExecutableDeleted":true)"));
}

TEST_F(EncoderTest, ExitStatusIsTheShellsNumber) {
  ProcessRecord record;
  record.kind = ProcessRecord::Kind::exit;
  record.exit_status = 3 << 8;
  encoder_.process(record, once_, Priority::urgent);
  EXPECT_THAT(last(), HasSubstr(R"("ExitStatus":3)"));
  record.exit_status = 9;
  encoder_.process(record, once_, Priority::urgent);
  EXPECT_THAT(last(), HasSubstr(R"("ExitStatus":137)"));
  EXPECT_THAT(last(), HasSubstr(R"("Signal":9)"));
}

TEST_F(EncoderTest, AFileThatIsOnlyNamedDeletedIsNot) {
  ProcessRecord record;
  record.executable = "/x (deleted)";
  encoder_.process(record, once_, Priority::urgent);
  EXPECT_THAT(last(), Not(HasSubstr("ExecutableDeleted")));
}

TEST_F(EncoderTest, AProcessHasItsPlace) {
  ProcessRecord record;
  record.grandparent_executable = "/usr/sbin/sshd";
  record.container = "c1";
  record.terminal = "pts/3";
  record.session = 12;
  record.executable_memfd = true;
  encoder_.process(record, once_, Priority::urgent);
  for (const char* part : {R"("GrandparentExecutable":"/usr/sbin/sshd")", R"("ContainerId":"c1")", R"("Tty":"pts/3")",
                           R"("LogonId":"12")", R"("Memfd":"true")"}) {
    EXPECT_THAT(last(), HasSubstr(part));
  }
}

TEST_F(EncoderTest, ACutCommandLineSaysHowLongItWasAndWhichOne) {
  ProcessRecord record;
  record.argv = "x";
  record.argv_bytes = 1'000'000;
  record.argv_truncated = true;
  record.argv_hash = 0x0123456789abcdef;
  encoder_.process(record, once_, Priority::urgent);
  for (const char* part :
       {R"("Truncated":true)", R"("CommandLineBytes":1000000)", R"("CommandLineHash":"0123456789abcdef")"}) {
    EXPECT_THAT(last(), HasSubstr(part));
  }
  EXPECT_THAT(last(), Not(HasSubstr("CommandLineHashOf")));
  record.argv_hash_of_prefix = true;
  encoder_.process(record, once_, Priority::urgent);
  EXPECT_THAT(last(), HasSubstr(R"("CommandLineHashOf":"prefix")"));
}

TEST_F(EncoderTest, ConnectionHasTextPortsAndADirection) {
  ConnectionRecord record;
  record.direction = ConnectionRecord::Direction::out;
  record.local = {{{10, 0, 0, 1}, 4}, 0};  // several local ports
  record.remote.address.length = 16;
  record.remote.address.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  record.remote.port = 443;
  ConnectionHits hits;
  hits.hits = {3, once_.first, once_.last};
  hits.failed = 3;
  hits.gaps.add(Duration::seconds(1));
  hits.gaps.add(Duration::seconds(1));
  hits.bytes_in.add(5);
  hits.bytes_out.add(6);
  hits.bytes_in.add(7);
  hits.bytes_out.add(8);
  encoder_.connection(record, hits, Priority::medium);
  for (const char* part :
       {R"("RemoteAddress":"2001:db8::1")", R"("RemotePort":"443")", R"("LocalAddress":"10.0.0.1")",
        R"("Direction":"Out")", R"("Protocol":"tcp")", R"("FailCount":3)", R"("Result":"Fail")", R"("HitCount":3)",
        R"("GapsMs":[1000])", R"("GapCounts":[2])", R"("BytesIn":12)", R"("BytesOutMax":8)"}) {
    EXPECT_THAT(last(), HasSubstr(part));
  }
  EXPECT_THAT(last(), Not(HasSubstr("LocalPort")));
}

TEST_F(EncoderTest, LoginOperationIsOneOfThree) {
  LoginRecord record;
  record.kind = LoginRecord::Kind::login_failed;
  record.user = "admin\xfe";
  record.operation = "PAM:authentication";
  record.remote = {{203, 0, 113, 5}, 4};
  encoder_.login(record);
  EXPECT_THAT(last(), HasSubstr(R"("Operation":"LoginFailed")"));
  EXPECT_THAT(last(), HasSubstr(R"("Result":"Fail")"));
  EXPECT_THAT(last(), HasSubstr(R"("RemoteAddress":"203.0.113.5")"));
  record.kind = LoginRecord::Kind::logout;
  encoder_.login(record);
  EXPECT_THAT(last(), HasSubstr(R"("Operation":"Logout")"));
}

TEST_F(EncoderTest, UserNamesFollowTheFile) {
  EXPECT_EQ(users_.find(1000), "ada");
  EXPECT_EQ(users_.find(5), "");
  std::ofstream(path_) << "grace:x:1000:1000::/:/bin/sh\nlonger so that the size differs\n";
  EXPECT_EQ(users_.find(1000), "grace");
}

class OutboxTest : public ::testing::Test {
 protected:
  ManualClock clock_{Timestamp{1'800'000'000'000'000}};
  Spool spool_ = *Spool::open({.directory = "", .memory_max = 1 << 20}, clock_.now());
  Outbox outbox_{{}, spool_, clock_};
};

TEST_F(OutboxTest, GathersUrgentEventsForAMomentIntoOneMessage) {
  outbox_.deliver(Priority::urgent, R"({"a":1})");
  clock_.advance(Duration::milliseconds(50));
  outbox_.deliver(Priority::urgent, R"({"b":2})");
  outbox_.on_time(clock_.monotonic());
  EXPECT_EQ(outbox_.next_due(), clock_.monotonic() + Duration::milliseconds(25));
  EXPECT_EQ(spool_.pending(), 0u);
  clock_.advance(Duration::milliseconds(25));
  outbox_.on_time(clock_.monotonic());
  ASSERT_EQ(spool_.pending(), 1u);
  EXPECT_EQ(as_text(spool_.next(clock_.now())->payload), R"({"a":1},{"b":2})");
}

TEST_F(OutboxTest, ABatchNeverExceedsAMessage) {
  const std::string event(60'000, 'x');
  for (int i = 0; i < 10; ++i) outbox_.deliver(Priority::low, event);
  outbox_.flush();
  std::size_t bytes = 0;
  while (auto entry = spool_.next(clock_.now())) {
    EXPECT_LE(entry->payload.size(), Outbox::kEventBytesMax);
    bytes += entry->payload.size();
  }
  EXPECT_GE(bytes, 600'000u);
  outbox_.deliver(Priority::low, std::string(Outbox::kEventBytesMax + 1, 'y'));
  EXPECT_EQ(outbox_.counters().dropped_events, 1u);
}

TEST_F(OutboxTest, CountsEventsThatTheSpoolRefused) {
  Spool tiny = *Spool::open({.directory = "", .memory_max = 64 << 10}, clock_.now());
  Outbox outbox({.batch_bytes = 1}, tiny, clock_);
  for (int i = 0; i < 100; ++i) outbox.deliver(Priority::urgent, std::string(1'000, 'u'));
  outbox.deliver(Priority::low, std::string(20'000, 'l'));
  EXPECT_EQ(outbox.counters().dropped_events, 1u);
}

TEST_F(EncoderTest, AnEventGetsItsCountsInsideItsItem) {
  EventRecord record;
  record.event = {"Dns", message::Category::Triggered, message::EventType::Security};
  record.items = R"({"QueryName":"a.example"})";
  encoder_.event(record, {.count = 3, .first = once_.first, .last = once_.first + Duration::seconds(1)},
                 {.failed = 2, .bytes_in = 9}, Priority::high);
  EXPECT_EQ(sink_.events.back().first, Priority::high);
  EXPECT_THAT(last(), HasSubstr(R"({"QueryName":"a.example","HitCount":3,"StartTimeUtc":"2027-01-15T08:00:00)"));
  EXPECT_THAT(last(), HasSubstr(R"(,"FailCount":2,"BytesIn":9})"));
  encoder_.event(record, {.count = 1, .first = once_.first, .last = once_.first}, {}, Priority::urgent);
  EXPECT_THAT(last(), HasSubstr(R"({"QueryName":"a.example"})"));
  record.items = R"({"A":1},{"A":2})";
  encoder_.event(record, {.count = 0}, {}, Priority::low);
  EXPECT_THAT(last(), HasSubstr(R"([{"A":1},{"A":2}])"));
}

}  // namespace
}  // namespace picket::agent
