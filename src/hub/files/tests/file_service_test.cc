#include "hub/file_service.h"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/encoding.h"
#include "hub/testing/temporary_state.h"

namespace picket::hub {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class FilesTest : public testing::Test {
 protected:
  FilesTest() { start(); }
  ~FilesTest() override { files.reset(); }

  void start() {
    options.directory = state.folder() + "/blobs";
    options.key_file = state.folder() + "/blob.key";
    options.disk_reserve_bytes = 0;
    options.on_operation = [this](const FileOperation& operation) { events.emplace_back(to_string(operation.event)); };
    auto made = make_files(*state, clock, options);
    ASSERT_TRUE(made) << describe(made.error());
    files = *std::move(made);
  }
  void restart() {
    files.reset();
    state.reopen();
    start();
  }
  HubResult<UploadTicket> open(const Identity& device, const std::string& name) {
    return answer<UploadTicket>(
        [&](auto done) { files->open_upload(device, name, "localhost:8443", std::move(done)); });
  }
  HubResult<> close(const Identity& device, const std::string& id, bool success = true) {
    return answer([&](Done<> done) { files->close_upload(device, {id, success, 201, ""}, std::move(done)); });
  }
  static std::string target(const UploadTicket& ticket, const std::string& more = "") {
    return "/" + ticket.container_name + "/" + ticket.blob_name + ticket.sas_token + more;
  }
  HubResult<BlobFacts> put(const std::string& at, std::string_view body, std::optional<std::uint64_t> length = {}) {
    const auto grant = files->grant_blob("PUT", at);
    if (!grant) return std::unexpected(grant.error());
    auto upload = files->begin_blob(*grant, length, "text/plain");
    if (!upload) return std::unexpected(upload.error());
    if (auto taken = (*upload)->append(as_bytes(body)); !taken) return std::unexpected(taken.error());
    return answer<BlobFacts>([&](auto done) { (*upload)->finish(std::move(done)); });
  }
  HubResult<BlobFacts> put_block(const UploadTicket& ticket, std::string_view id, std::string_view body) {
    return put(target(ticket, "&comp=block&blockid=" + percent_encode(to_base64(as_bytes(id)))), body);
  }
  HubResult<BlobFacts> put_list(const UploadTicket& ticket, const std::vector<std::string>& ids) {
    std::string body = "<BlockList>";
    for (const auto& id : ids) body += "<Latest>" + to_base64(as_bytes(id)) + "</Latest>";
    const auto grant = files->grant_blob("PUT", target(ticket, "&comp=blocklist"));
    if (!grant) return std::unexpected(grant.error());
    return answer<BlobFacts>(
        [&](auto done) { files->commit_blocks(*grant, body + "</BlockList>", "", std::move(done)); });
  }
  /// "<404001>" and the like when it cannot be read.
  std::string content(std::string_view name) {
    const auto reading = files->read_blob("hub1", name);
    if (!reading) return "<" + std::to_string(reading.error().code) + ">";
    std::string out(reading->facts.size_bytes, '\0');
    EXPECT_EQ(::pread(reading->file.get(), out.data(), out.size(), 0), static_cast<ssize_t>(out.size()));
    return out;
  }
  std::optional<FileNotification> notification() {
    return answer<std::optional<FileNotification>>(
               [&](auto done) { files->receive_notification("hub1", std::move(done)); })
        .value();
  }
  HubResult<> settle(const FileNotification& notification, Settlement settlement) {
    return answer(
        [&](Done<> done) { files->settle_notification("hub1", notification.lock, settlement, std::move(done)); });
  }
  std::size_t file_count(const std::string& folder) {
    std::size_t out = 0;
    for (const auto& entry : fs::recursive_directory_iterator(options.directory + folder))
      out += entry.is_regular_file();
    return out;
  }
  /// What the worker and the state have to do is done.
  void quiesce() {
    files.reset();
    start();
  }

  TemporaryState state;
  ManualClock clock{Timestamp{1'795'000'000'000'000}};
  FileOptions options;
  std::vector<std::string> events;
  std::unique_ptr<FileService> files;
  const Identity dev1 = state.add_device("dev1");
  const Identity dev2 = state.add_device("dev2");
};

TEST_F(FilesTest, AnUploadBecomesABlobAndANotification) {
  const auto ticket = open(dev1, "logs/a b.txt");
  ASSERT_TRUE(ticket) << ticket.error().message;
  EXPECT_EQ(ticket->blob_name, "dev1/logs/a b.txt");
  EXPECT_EQ(ticket->container_name, "uploads-hub1");
  EXPECT_EQ(ticket->host_name, "localhost:8443");
  EXPECT_TRUE(files->is_blob_path("/" + ticket->container_name + "/x"));
  EXPECT_FALSE(files->is_blob_path("/devices/dev1"));
  const auto at = "/uploads-hub1/" + percent_encode(ticket->blob_name) + ticket->sas_token;
  const auto facts = put(at, "hello", 5);
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->size_bytes, 5U);
  EXPECT_FALSE(notification());
  ASSERT_TRUE(close(dev1, ticket->correlation_id));
  EXPECT_EQ(content("dev1/logs/a b.txt"), "hello");
  const auto told = notification();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->device_id, "dev1");
  EXPECT_EQ(told->blob_uri, "https://localhost:8443/uploads-hub1/dev1/logs/a%20b.txt");
  EXPECT_EQ(told->size_bytes, 5U);
  EXPECT_EQ(told->last_updated, clock.now());
  EXPECT_THAT(events, ElementsAre("opened", "completed"));
}

TEST_F(FilesTest, BlocksBecomeTheBlobInTheOrderOfTheList) {
  const auto ticket = open(dev1, "f").value();
  ASSERT_TRUE(put_block(ticket, "2", "world"));
  ASSERT_TRUE(put_block(ticket, "1", "replaced"));
  ASSERT_TRUE(put_block(ticket, "1", "hello "));
  ASSERT_TRUE(put_block(ticket, "unused", "x"));
  EXPECT_EQ(content("dev1/f"), "<404001>") << "not before the list";
  EXPECT_EQ(put_list(ticket, {"1", "missing"}).error().code, kArgumentInvalid);
  const auto facts = put_list(ticket, {"1", "2", "2"});
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->size_bytes, 16U);
  EXPECT_EQ(content("dev1/f"), "hello worldworld");
  quiesce();
  EXPECT_EQ(file_count("/blocks"), 0U);
  EXPECT_EQ(file_count("/temporary"), 0U);
  EXPECT_EQ(files->stats().bytes_used, 16U);
}

TEST_F(FilesTest, BlocksOfOneBlobAreNotThoseOfAnother) {
  const auto mine = open(dev1, "f").value();
  const auto theirs = open(dev2, "f").value();
  ASSERT_TRUE(put_block(mine, "1", "secret"));
  EXPECT_EQ(put_list(theirs, {"1"}).error().code, kArgumentInvalid);
}

TEST_F(FilesTest, TheTenthOpenUploadIsTheLast) {
  std::string first;
  for (std::size_t i = 0; i < kUploadsOpenMax; ++i) {
    const auto ticket = open(dev1, "f" + std::to_string(i));
    ASSERT_TRUE(ticket);
    if (i == 0) first = ticket->correlation_id;
  }
  EXPECT_EQ(open(dev1, "more").error().code, kUploadsTooMany);
  EXPECT_TRUE(open(dev2, "f"));
  ASSERT_TRUE(close(dev1, first, false));
  EXPECT_TRUE(open(dev1, "more"));
  EXPECT_EQ(open(dev1, "again").error().code, kUploadsTooMany);
  clock.advance(kUploadLifetime);
  EXPECT_TRUE(open(dev1, "later"));
}

TEST_F(FilesTest, ATicketThatWasNeverUsedExpiresAndIsCounted) {
  const auto ticket = open(dev1, "f").value();
  clock.advance(kUploadLifetime);
  files->run_due();
  state.settle();
  EXPECT_THAT(events, ElementsAre("opened", "expired"));
  EXPECT_EQ(close(dev1, ticket.correlation_id).error().code, kArgumentInvalid);
  EXPECT_EQ(put(target(ticket), "x").error().code, kUnauthorized);
}

TEST_F(FilesTest, OnlyTheDeviceThatOpenedItEndsAnUpload) {
  const auto ticket = open(dev1, "f").value();
  auto older = dev1;
  older.generation_id = "older";
  auto module = dev1;
  module.module_id = "m";
  for (const auto& other : {dev2, older, module}) {
    EXPECT_EQ(close(other, ticket.correlation_id).error().code, kArgumentInvalid);
  }
  EXPECT_EQ(close(dev1, "' OR 1=1").error().code, kArgumentInvalid);
  EXPECT_TRUE(close(dev1, ticket.correlation_id));
  EXPECT_EQ(close(dev1, ticket.correlation_id).error().code, kArgumentInvalid);
}

TEST_F(FilesTest, ATicketEndsWithItsUpload) {
  const auto ticket = open(dev1, "f").value();
  ASSERT_TRUE(put(target(ticket), "one"));
  ASSERT_TRUE(close(dev1, ticket.correlation_id));
  EXPECT_EQ(put(target(ticket), "two").error().code, kUnauthorized);
  EXPECT_EQ(put_list(ticket, {}).error().code, kUnauthorized);
  EXPECT_EQ(content("dev1/f"), "one");
  EXPECT_TRUE(files->grant_blob("GET", target(ticket))) << "what was put may be read until the hour is over";
}

TEST_F(FilesTest, ATicketEndsWithItsDevice) {
  const auto ticket = open(dev1, "f").value();
  ASSERT_TRUE(state.devices().remove("hub1", "dev1", {"t", ""}, {}));
  EXPECT_EQ(put(target(ticket), "x").error().code, kUnauthorized);
}

TEST_F(FilesTest, AFailedUploadLeavesNothing) {
  const auto ticket = open(dev1, "f").value();
  ASSERT_TRUE(put(target(ticket), "x"));
  ASSERT_TRUE(put_block(ticket, "1", "y"));
  ASSERT_TRUE(close(dev1, ticket.correlation_id, false));
  EXPECT_EQ(content("dev1/f"), "<404001>");
  EXPECT_FALSE(notification());
  quiesce();
  EXPECT_EQ(file_count("/"), 0U);
  EXPECT_EQ(files->stats().bytes_used, 0U);
}

TEST_F(FilesTest, AFailedUploadLeavesAnEarlierBlobAlone) {
  const auto first = open(dev1, "f").value();
  ASSERT_TRUE(put(target(first), "good"));
  ASSERT_TRUE(close(dev1, first.correlation_id));
  clock.advance(Duration::seconds(1));
  const auto second = open(dev1, "f").value();
  ASSERT_TRUE(close(dev1, second.correlation_id, false));
  EXPECT_EQ(content("dev1/f"), "good");
}

TEST_F(FilesTest, ABlobIsReplacedAsAWhole) {
  const auto ticket = open(dev1, "f").value();
  ASSERT_TRUE(put(target(ticket), "old"));
  const auto reading = files->read_blob("hub1", "dev1/f");
  ASSERT_TRUE(put(target(ticket), "newer"));
  EXPECT_EQ(content("dev1/f"), "newer");
  char old[4] = {};
  EXPECT_EQ(::pread(reading->file.get(), old, 3, 0), 3);
  EXPECT_STREQ(old, "old") << "who reads keeps what he began with";
  quiesce();
  EXPECT_EQ(file_count("/data"), 1U);
  EXPECT_EQ(files->stats().bytes_used, 5U);
}

TEST_F(FilesTest, NamesAreCheckedAndNeverPaths) {
  for (const auto* name : {"", "../x", "a/../b", "/abs", "a//b", ".", "a\\b", "a\nb", "\xff"}) {
    EXPECT_EQ(open(dev1, name).error().code, kArgumentInvalid) << name;
  }
  EXPECT_EQ(open(dev1, std::string(kBlobNameBytesMax - 4, 'x')).error().code, kArgumentInvalid);
  EXPECT_TRUE(open(dev1, std::string(kBlobNameBytesMax - 5, 'x')));
  EXPECT_EQ(open(state.add_device(".."), "passwd").error().code, kArgumentInvalid);
  const auto hostile = state.add_device("a%2Fb#?*'");
  const auto ticket = open(hostile, "c#d?e").value();
  ASSERT_TRUE(put("/uploads-hub1/" + percent_encode(ticket.blob_name) + ticket.sas_token, "x"));
  for (const auto& entry : fs::recursive_directory_iterator(options.directory)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(entry.path().filename().string().find_first_not_of("0123456789abcdef"), std::string::npos);
  }
}

TEST_F(FilesTest, ADeviceDoesNotChooseWhereServicesAreSent) {
  options.public_host = "hub.example";
  restart();
  const auto ticket = open(dev1, "f").value();
  EXPECT_EQ(ticket.host_name, "localhost:8443") << "the device goes the way it came";
  ASSERT_TRUE(put(target(ticket), "x"));
  ASSERT_TRUE(close(dev1, ticket.correlation_id));
  EXPECT_EQ(notification()->blob_uri, "https://hub.example/uploads-hub1/dev1/f");
  for (const auto* host : {"", "evil/", "a b", "user@evil", "evil?x", "a\nb"}) {
    const auto refused = answer<UploadTicket>([&](auto done) { files->open_upload(dev1, "g", host, std::move(done)); });
    EXPECT_EQ(refused.error().code, kArgumentInvalid) << host;
  }
}

TEST_F(FilesTest, TooMuchIsRefusedWhenItComesAndLeavesNothing) {
  const auto ticket = open(dev1, "f").value();
  EXPECT_EQ(put(target(ticket), "12345", 4).error().code, kTooLarge);
  EXPECT_EQ(put(target(ticket), "123", 4).error().code, kArgumentInvalid);
  EXPECT_EQ(put(target(ticket), "", kBlobBytesMax + 1).error().code, kTooLarge);
  EXPECT_EQ(file_count("/"), 0U);
  EXPECT_EQ(files->stats().bytes_used, 0U);
}

TEST_F(FilesTest, TheTotalIsBounded) {
  options.bytes_max = 11'000;
  restart();
  const auto ticket = open(dev1, "f").value();
  ASSERT_TRUE(put(target(ticket), std::string(6'000, 'x')));
  const auto more = open(dev1, "g").value();
  EXPECT_EQ(put(target(more), std::string(5'001, 'x')).error().code, kQuotaExceeded);
  ASSERT_TRUE(put_block(more, "1", "x")) << "a block takes 4096 bytes of room";
  EXPECT_EQ(put_block(more, "2", "x").error().code, kQuotaExceeded);
  EXPECT_EQ(files->stats().bytes_used, 6'000U + 4'096U);
}

TEST_F(FilesTest, TheDisksReserveIsKept) {
  options.disk_reserve_bytes = ~0ULL;
  files.reset();
  auto made = make_files(*state, clock, options);
  files = *std::move(made);
  EXPECT_EQ(open(dev1, "f").error().code, kQuotaExceeded);
  EXPECT_EQ(files->stats().refused_room, 1U);
}

TEST_F(FilesTest, EverythingSurvivesARestart) {
  const auto closed = open(dev1, "f").value();
  ASSERT_TRUE(put(target(closed), "hello"));
  ASSERT_TRUE(close(dev1, closed.correlation_id));
  const auto ticket = open(dev1, "g").value();
  ASSERT_TRUE(put_block(ticket, "1", "block"));
  restart();
  EXPECT_EQ(content("dev1/f"), "hello");
  EXPECT_TRUE(notification());
  EXPECT_EQ(files->stats().bytes_used, 5U + 4096U);
  ASSERT_TRUE(put_list(ticket, {"1"}));
  EXPECT_EQ(content("dev1/g"), "block");
  EXPECT_TRUE(close(dev1, ticket.correlation_id));
}

TEST_F(FilesTest, WhatACrashLeftIsRemoved) {
  const auto ticket = open(dev1, "f").value();
  ASSERT_TRUE(put(target(ticket), "kept"));
  files.reset();
  fs::create_directories(options.directory + "/data/00");
  const auto orphan = options.directory + "/data/00/00aa";
  std::ofstream(orphan) << "x";
  std::ofstream(options.directory + "/temporary/half") << "x";
  struct stat facts{};
  ASSERT_EQ(::stat(orphan.c_str(), &facts), 0);
  while (::time(nullptr) <= facts.st_ctim.tv_sec) ::usleep(10'000);  // ctime cannot be set: the next second must begin
  start();
  quiesce();
  EXPECT_FALSE(fs::exists(orphan));
  EXPECT_EQ(file_count("/"), 1U);
  EXPECT_EQ(content("dev1/f"), "kept");
}

TEST_F(FilesTest, BlocksThatNothingJoinsGoAfterTwoHours) {
  const auto ticket = open(dev1, "f").value();
  ASSERT_TRUE(put_block(ticket, "1", "x"));
  clock.advance(options.block_lifetime - Duration::minutes(1));
  files->run_due();
  quiesce();
  EXPECT_EQ(file_count("/blocks"), 1U);
  clock.advance(Duration::minutes(12));
  files->run_due();
  quiesce();
  EXPECT_EQ(file_count("/blocks"), 0U);
  EXPECT_EQ(files->stats().bytes_used, 0U);
}

TEST_F(FilesTest, NotificationsAreLockedAndComeAgain) {
  for (const auto* name : {"a", "b"}) {
    const auto ticket = open(dev1, name).value();
    ASSERT_TRUE(put(target(ticket), "x"));
    ASSERT_TRUE(close(dev1, ticket.correlation_id));
  }
  const auto first = notification();
  const auto second = notification();
  EXPECT_EQ(first->blob_name, "dev1/a");
  EXPECT_EQ(second->blob_name, "dev1/b");
  EXPECT_FALSE(notification());
  ASSERT_TRUE(settle(*second, Settlement::abandon));
  EXPECT_EQ(notification()->blob_name, "dev1/b");
  clock.advance(Duration::seconds(60));
  EXPECT_EQ(settle(*first, Settlement::complete).error().code, kLockLost);
  ASSERT_TRUE(settle(*notification(), Settlement::complete));
  EXPECT_EQ(notification()->blob_name, "dev1/b");
  EXPECT_FALSE(notification());
}

TEST_F(FilesTest, TheListenerHearsOfANotification) {
  std::vector<std::string> heard;
  files->on_notification([&](const std::string& hub) { heard.push_back(hub); });
  files->run_due();
  EXPECT_TRUE(heard.empty());
  const auto ticket = open(dev1, "f").value();
  ASSERT_TRUE(put(target(ticket), "x"));
  ASSERT_TRUE(close(dev1, ticket.correlation_id));
  files->run_due();
  EXPECT_THAT(heard, ElementsAre("hub1"));
}

TEST_F(FilesTest, OperatorsListAndRemove) {
  for (const auto& [device, name] : {std::pair(dev1, "b"), std::pair(dev1, "a"), std::pair(dev2, "c")}) {
    ASSERT_TRUE(put(target(open(device, name).value()), "x"));
  }
  const auto names = [&](std::string_view device, std::string_view after, std::size_t max) {
    std::vector<std::string> out;
    const auto blobs = files->list_blobs("hub1", device, after, max);
    for (const auto& blob : *blobs) out.push_back(blob.name);
    return out;
  };
  EXPECT_THAT(names("", "", 100), ElementsAre("dev1/a", "dev1/b", "dev2/c"));
  EXPECT_THAT(names("", "dev1/a", 1), ElementsAre("dev1/b"));
  EXPECT_THAT(names("dev1", "", 100), ElementsAre("dev1/a", "dev1/b"));
  EXPECT_THAT(names("dev", "", 100), ElementsAre());
  const auto remove = [&](std::string_view name) {
    return answer([&](Done<> done) { files->remove_blob("hub1", name, {"admin", ""}, std::move(done)); });
  };
  EXPECT_TRUE(remove("dev1/a"));
  EXPECT_EQ(remove("dev1/a").error().code, kDeviceNotFound);
  EXPECT_THAT(names("dev1", "", 100), ElementsAre("dev1/b"));
}

TEST_F(FilesTest, AKeyFileThatIsNoneIsRefused) {
  files.reset();
  std::ofstream(options.key_file) << "short";
  const auto made = make_files(*state, clock, options);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().where, "files.key");
}

TEST_F(FilesTest, TheKeyIsForItsOwnerOnly) {
  struct stat facts{};
  ASSERT_EQ(::stat(options.key_file.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

}  // namespace
}  // namespace picket::hub
