// Backups: whole while something writes, refused when damaged, all or nothing.
#include "server/backup.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup_list.h"
#include "base/core/file.h"
#include "base/core/random.h"
#include "data_directory.h"
#include "journal/journal.h"
#include "pipeline/tables.h"
#include "state/database.h"
#include "workspace/tables.h"
#include "workspace/workspace.h"

namespace picket::server {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr Timestamp kNow{1'760'000'000'000'000};

class Backup : public ::testing::Test {
 protected:
  void SetUp() override {
    root = fs::temp_directory_path() / ("backup-" + random_uuid());
    fs::create_directories(root);
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  [[nodiscard]] std::string path(const char* name) const { return (root / name).string(); }
  [[nodiscard]] Result<BackupInfo> make(const char* name) {
    return make_backup(path("data"), path(name), "0.1.0", kNow, detail);
  }

  fs::path root;
  std::string detail;
};

/// What a server has open in its data directory: state, journal, tables.
class Storage {
 public:
  explicit Storage(const std::string& path) : data(*DataDirectory::open(path)) {
    state = *state::Database::open(data.state_file());
    journal::EmbeddedOptions options;
    options.directory = data.journal();
    options.segment_bytes_max = 16U << 10;
    options.reserve_bytes = 0;
    journal = std::move(journal::open_embedded(std::move(options))->journal);
    workspace::DuckdbOptions storage;
    storage.directory = data.segments();
    storage.background = false;
    storage.seal_rows = 40;
    storage.merge_fan_in = 3;
    schema = pipeline::make_workspace_schema();
    table = *schema.find_table(workspace::kDeadLetter);
    rows = *workspace::open_duckdb_workspace(std::move(storage), schema, system_clock());
  }
  /// One record, durable, and its row.
  void add(std::uint64_t number) {
    const Identity identity{"hub", "device", "", "1"};
    const std::string body = "record " + std::to_string(number);
    const journal::Record record{.partition = 0, .enqueued = kNow, .identity = identity, .body = as_bytes(body)};
    ASSERT_TRUE(journal->append(record, [](const Result<journal::RecordId>&) {}));
    journal->flush();
    const workspace::Cell cells[] = {workspace::Cell::timestamp(kNow), workspace::Cell::text("hub")};
    const workspace::Row row{table, {number, 0, 0}, kNow, cells};
    ASSERT_TRUE(rows->append(workspace::kMessagesStream, number, std::span(&row, 1)));
    ASSERT_TRUE(rows->maintain());
  }
  [[nodiscard]] std::int64_t count() const {
    workspace::QueryRequest request;
    request.sql = "SELECT count(*) FROM DeadLetter";
    return rows->query(request)->at(0, 0).as_integer();
  }

  DataDirectory data;
  std::unique_ptr<state::Database> state;
  std::unique_ptr<journal::Journal> journal;
  workspace::Schema schema;
  workspace::TableIndex table = 0;
  std::unique_ptr<workspace::Workspace> rows;
};

TEST_F(Backup, OfARunningServerHoldsEverythingBeforeItAndFitsTogether) {
  std::atomic<std::uint64_t> added = 0;
  std::uint64_t before = 0;
  {
    Storage storage(path("data"));
    for (std::uint64_t i = 1; i <= 200; ++i) storage.add(added = i);
    std::atomic<bool> stop = false;
    std::jthread writer([&] {
      while (!stop) storage.add(++added);
    });
    before = added - 1;
    const auto made = make("copy");
    stop = true;
    writer.join();
    ASSERT_TRUE(made) << detail << ": " << describe(made.error());
    EXPECT_GT(made->files, 5u);
  }
  ASSERT_TRUE(check_backup(path("copy"), detail)) << detail;
  const auto restored = restore_backup(path("copy"), path("again"), detail);
  ASSERT_TRUE(restored) << detail << ": " << describe(restored.error());
  Storage again(path("again"));
  const std::uint64_t sealed = again.rows->sealed_through(workspace::kMessagesStream);
  EXPECT_EQ(again.count(), static_cast<std::int64_t>(sealed));
  const std::uint64_t end = again.journal->end().next_of(0) - 1;
  EXPECT_GE(end, before) << "what was durable before the backup began is in it";
  EXPECT_LE(end, added.load());
  EXPECT_LE(sealed, end) << "the rest of the rows is made again from the journal";
}

TEST_F(Backup, OfAStoppedServerIsTheSame) {
  {
    Storage(path("data")).add(1);
  }
  ASSERT_TRUE(make("copy")) << detail;
  ASSERT_TRUE(restore_backup(path("copy"), path("again"), detail));
  EXPECT_EQ(*read_file(path("again/VERSION"), 4096), *read_file(path("data/VERSION"), 4096));
  EXPECT_EQ(Storage(path("again")).journal->end().next_of(0), 2u);
}

TEST_F(Backup, DamageIsRefusedAndNamed) {
  {
    Storage(path("data")).add(1);
  }
  ASSERT_TRUE(make("copy")) << detail;
  const auto list = decode_backup_list(*read_file(path("copy/BACKUP"), kBackupListBytesMax));
  ASSERT_TRUE(list);
  for (const BackupFile& file : list->files) {
    if (file.bytes == 0) continue;
    const std::string damaged = path("copy") + "/" + file.path;
    const auto flip = [&] {
      std::fstream bytes(damaged, std::ios::in | std::ios::out | std::ios::binary);
      const int byte = bytes.get();
      bytes.seekp(0);
      bytes.put(static_cast<char>(byte ^ 1));
    };
    flip();
    const auto checked = check_backup(path("copy"), detail);
    ASSERT_FALSE(checked) << file.path;
    EXPECT_EQ(checked.error().where, "backup.file");
    EXPECT_EQ(detail, damaged);
    EXPECT_FALSE(restore_backup(path("copy"), path("again"), detail));
    EXPECT_FALSE(fs::exists(path("again")) || fs::exists(path("again.restoring")));
    flip();
  }
  fs::remove(path("copy") + "/" + list->files.back().path);
  EXPECT_EQ(check_backup(path("copy"), detail).error().where, "backup.file");
}

TEST_F(Backup, HalfOfOneIsNone) {
  {
    Storage(path("data")).add(1);
  }
  ASSERT_TRUE(make("copy")) << detail;
  fs::remove(path("copy/BACKUP"));  // it is written last
  EXPECT_EQ(restore_backup(path("copy"), path("again"), detail).error(), (Error{Errc::not_found, "backup.list"}));
}

TEST_F(Backup, WhatARestoreThatWasKilledLeftIsNoDataDirectory) {
  {
    Storage(path("data")).add(1);
  }
  ASSERT_TRUE(make("copy")) << detail;
  fs::create_directories(path("again.restoring/segments"));
  std::ofstream(path("again.restoring/segments/half")) << "half";
  ASSERT_TRUE(restore_backup(path("copy"), path("again"), detail)) << detail;
  EXPECT_FALSE(fs::exists(path("again/segments/half")));
  EXPECT_FALSE(fs::exists(path("again.restoring")));
}

TEST_F(Backup, NothingIsOverwritten) {
  {
    Storage(path("data")).add(1);
  }
  fs::create_directories(path("copy"));
  std::ofstream(path("copy/mine")) << "mine";
  EXPECT_EQ(make("copy").error(), (Error{Errc::denied, "backup.target"}));
  EXPECT_TRUE(fs::exists(path("copy/mine")));
  ASSERT_TRUE(make("second")) << detail;
  EXPECT_EQ(restore_backup(path("second"), path("data"), detail).error(), (Error{Errc::denied, "restore.target"}));
  fs::create_directories(path("empty"));
  EXPECT_TRUE(restore_backup(path("second"), path("empty"), detail)) << detail;
  EXPECT_EQ(make_backup(path("nothing"), path("third"), "0.1.0", kNow, detail).error().where, "backup.data");
}

TEST(BackupList, ReadsWhatItWroteAndRefusesTheRest) {
  const BackupList list{"0.1.0", 1, kNow, {{"VERSION", 3, 7}, {"state/state.sqlite", 9, 0xdeadbeef}}};
  const std::string text = encode_backup_list(list);
  EXPECT_EQ(*decode_backup_list(text), list);
  for (std::size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(decode_backup_list(text.substr(0, n))) << n;
  EXPECT_EQ(decode_backup_list("picket-backup 2\nmore").error(), (Error{Errc::unsupported, "backup.format", 2}));
  for (const char* path : {"../x", "a/../../x", "/etc/x", "BACKUP"}) {
    EXPECT_FALSE(decode_backup_list(encode_backup_list({"0.1.0", 1, kNow, {{path, 3, 7}}}))) << path;
  }
}

TEST_F(Backup, OfANewerPicketIsRefused) {
  fs::create_directories(path("copy"));
  ASSERT_TRUE(replace_file(path("copy/BACKUP"),
                           as_bytes(encode_backup_list({"9.0.0", kDataVersion + 1, kNow, {{"VERSION", 3, 7}}}))));
  EXPECT_EQ(restore_backup(path("copy"), path("again"), detail).error().where, "backup.data_version");
}

}  // namespace
}  // namespace picket::server
