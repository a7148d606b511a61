#include "hub/file_service.h"

#include "base/core/random.h"
#include "stored_files.h"

namespace picket::hub {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kExpiredAtOnce = 256;
constexpr Duration kCleanEvery = Duration::minutes(10);

using state::BlobTable;
using state::StoredUpload;
using state::UploadTable;

Result<Buffer> open_or_make_key(const std::string& path) {
  auto text = read_file(path, kKeyBytes);
  if (!text && text.error().os_error != ENOENT) return std::unexpected(text.error());
  if (text) {
    if (text->size() != kKeyBytes) return fail(Errc::malformed, "files.key");
    const auto bytes = as_bytes(*text);
    return Buffer(bytes.begin(), bytes.end());
  }
  Buffer key(kKeyBytes);
  random_bytes(key);
  TRY_VOID(replace_file(path, key, 0600));
  return key;
}

}  // namespace

std::string_view to_string(FileEvent event) {
  constexpr std::string_view kNames[] = {"opened", "completed", "failed", "expired"};
  return kNames[static_cast<std::size_t>(event)];
}

void StoredFiles::note(FileEvent event, const StoredUpload& upload, std::uint64_t size_bytes) {
  ++events_[static_cast<std::size_t>(event)];
  if (!options_.on_operation) return;
  options_.on_operation({.event = event,
                         .time = clock_.now(),
                         .device = {upload.hub, upload.device_id, {}, upload.generation_id},
                         .blob_name = upload.blob_name,
                         .size_bytes = size_bytes});
}

void StoredFiles::expire_tickets() {
  const auto now = clock_.now();
  bool due = false;
  const auto looked = database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(const auto first, UploadTable::expired(db, now, 1));
    due = !first.empty();
    return {};
  });
  if (!looked || !due) return;
  auto gone = std::make_shared<std::vector<StoredUpload>>();
  gate_.submit(
      [gone, now](sqlite3* db) -> Result<> {
        TRY(*gone, UploadTable::expired(db, now, kExpiredAtOnce));
        for (const auto& upload : *gone) TRY_VOID(UploadTable::remove(db, upload.correlation_id));
        return {};
      },
      [this, gone](const Result<>& expired) {
        if (!expired) return;
        for (const auto& upload : *gone) note(FileEvent::expired, upload);
      });
}

void StoredFiles::run_due() {
  expire_tickets();
  notifications_.tell_listener();
  if (clock_.monotonic() - cleaned_ < kCleanEvery) return;
  cleaned_ = clock_.monotonic();
  notifications_.trim();
  run_job([this, before = clock_.now() - options_.block_lifetime] { store_->remove_old_blocks(before); });
}

void StoredFiles::remove_orphans() {
  orphans_removed_ += store_->remove_orphans([this](std::string_view file) {
    bool known = true;  // in doubt it stays
    (void)database_.look_up([&](sqlite3* db) -> Result<> {
      TRY(known, BlobTable::has_file(db, file));
      return {};
    });
    return known;
  });
}

FileStats StoredFiles::stats() const {
  return {.opened = events_[0],
          .completed = events_[1],
          .failed = events_[2],
          .expired = events_[3],
          .refused_open = refused_open_,
          .refused_room = refused_room_,
          .refused_signature = refused_signature_,
          .blobs_written = blobs_written_,
          .bytes_written = bytes_written_,
          .bytes_used = store_->used(),
          .orphans_removed = orphans_removed_,
          .notifications_dropped = notifications_.dropped()};
}

Result<std::unique_ptr<FileService>> make_files(state::Database& database, const Clock& clock, FileOptions options) {
  TRY(auto key, open_or_make_key(options.key_file));
  std::uint64_t used = 0;
  TRY_VOID(database.read([&](sqlite3* db) -> Result<> {
    TRY(used, BlobTable::total_bytes(db));
    return {};
  }));
  TRY(auto store, BlobStore::open(options.directory, used, {options.bytes_max, options.disk_reserve_bytes}));
  return std::unique_ptr<FileService>(
      std::make_unique<StoredFiles>(database, clock, std::move(options), std::move(key), std::move(store)));
}

}  // namespace picket::hub
