#include "hub/file_service.h"

#include <array>
#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/random.h"
#include "base/server/log.h"
#include "blob_request.h"
#include "blob_store.h"
#include "block_list.h"
#include "hub/store_gate.h"
#include "notification_queue.h"
#include "pending_blob.h"
#include "state/commands.h"
#include "state/uploads.h"
#include "worker.h"

namespace picket::hub {

std::string_view to_string(FileEvent event) {
  constexpr std::string_view kNames[] = {"opened", "completed", "failed", "expired"};
  return kNames[static_cast<std::size_t>(event)];
}

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kContentTypeBytesMax = 256;
constexpr std::size_t kExpiredAtOnce = 256;
constexpr Duration kCleanEvery = Duration::minutes(10);
constexpr std::string_view kTooMany = "files.uploads_open";
constexpr std::string_view kNoUpload = "files.upload";

using state::BlobTable;
using state::StoredBlob;
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

/// Staged blocks of one blob are found by this.
std::string block_key(const BlobGrant& grant) { return grant.hub + '\0' + grant.name; }

BlobFacts facts_of(const StoredBlob& blob) {
  return {blob.name, blob.size_bytes, blob.content_type, "\"" + blob.file + "\"", blob.modified};
}

std::string clean_content_type(std::string_view text) {
  if (text.size() > kContentTypeBytesMax) return {};
  for (const char c : text) {
    if (c < ' ' || c == 0x7F) return {};
  }
  return std::string(text);
}

/// "name", "192.0.2.1", "[::1]", each perhaps with a port: it becomes part of a URI that others open.
bool is_host(std::string_view text) {
  constexpr std::size_t kHostBytesMax = 255;
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
  return !text.empty() && text.size() <= kHostBytesMax && text.find_first_not_of(kLetters) == std::string_view::npos;
}

std::string blob_uri(const StoredUpload& upload, std::string_view public_host) {
  std::string path;
  for (const char c : percent_encode(upload.blob_name)) path += c;
  for (std::size_t at; (at = path.find("%2F")) != std::string::npos;) path.replace(at, 3, "/");
  return fmt::format("https://{}/{}{}/{}", public_host.empty() ? upload.host : public_host, kContainerPrefix,
                     percent_encode(upload.hub), path);
}

class StoredFiles final : public FileService {
 public:
  StoredFiles(state::Database& database, const Clock& clock, FileOptions options, Buffer key,
              std::unique_ptr<BlobStore> store)
      : database_(database),
        clock_(clock),
        options_(std::move(options)),
        key_(std::move(key)),
        store_(std::move(store)),
        notifications_(database, clock, options_),
        cleaned_(clock.monotonic()),
        gate_(database) {
    run_job([this] { remove_orphans(); });
  }
  ~StoredFiles() override { worker_.close(); }

  void open_upload(const Identity& device, std::string blob_name, std::string_view host,
                   Done<UploadTicket> done) override;
  void close_upload(const Identity& device, UploadResult result, Done<> done) override;
  [[nodiscard]] bool is_blob_path(std::string_view path) const override {
    return path.starts_with('/') && path.substr(1).starts_with(kContainerPrefix);
  }
  [[nodiscard]] HubResult<BlobGrant> grant_blob(std::string_view method, std::string_view target) const override;
  HubResult<std::unique_ptr<BlobUpload>> begin_blob(const BlobGrant& grant, std::optional<std::uint64_t> length,
                                                    std::string_view content_type) override;
  void commit_blocks(const BlobGrant& grant, std::string_view body, std::string_view content_type,
                     Done<BlobFacts> done) override;
  HubResult<BlobReading> read_blob(const BlobGrant& grant) override { return read_blob(grant.hub, grant.name); }
  HubResult<BlobReading> read_blob(std::string_view hub, std::string_view name) override;
  void receive_notification(std::string_view hub, Done<std::optional<FileNotification>> done) override {
    notifications_.receive(hub, std::move(done));
  }
  void settle_notification(std::string_view hub, std::string_view lock, Settlement settlement, Done<> done) override {
    notifications_.settle(hub, lock, settlement, std::move(done));
  }
  void on_notification(std::function<void(const std::string& hub)> listener) override {
    notifications_.listen(std::move(listener));
  }
  HubResult<std::vector<BlobFacts>> list_blobs(std::string_view hub, std::string_view device_id, std::string_view after,
                                               std::size_t count_max) override;
  void remove_blob(std::string_view hub, std::string_view name, const state::Actor& actor, Done<> done) override;
  void run_due() override;
  [[nodiscard]] FileStats stats() const override;

 private:
  void finish(const BlobGrant& grant, std::shared_ptr<TemporaryFile> file, std::uint64_t size, std::string content_type,
              Done<BlobFacts> done);
  /// On the worker; false when it takes no more, the job is then lost.
  bool run_job(std::move_only_function<void()> job) { return worker_.post(job); }
  [[nodiscard]] HubResult<> check_open(const BlobGrant& grant) const;
  /// On the worker: the file becomes the blob.
  void publish(const BlobGrant& grant, TemporaryFile& file, std::uint64_t size, std::string content_type,
               Done<BlobFacts> done);
  /// The row went; its bytes follow.
  void drop(const StoredBlob& blob);
  void expire_tickets();
  void remove_orphans();
  void note(FileEvent event, const StoredUpload& upload, std::uint64_t size_bytes = 0);

  state::Database& database_;
  const Clock& clock_;
  const FileOptions options_;
  const Buffer key_;
  const std::unique_ptr<BlobStore> store_;
  NotificationQueue notifications_;
  Duration cleaned_;
  std::array<std::atomic<std::uint64_t>, 4> events_{};
  std::atomic<std::uint64_t> refused_open_ = 0;
  std::atomic<std::uint64_t> refused_room_ = 0;
  mutable std::atomic<std::uint64_t> refused_signature_ = 0;
  std::atomic<std::uint64_t> blobs_written_ = 0;
  std::atomic<std::uint64_t> bytes_written_ = 0;
  std::atomic<std::uint64_t> orphans_removed_ = 0;
  Worker worker_;
  StoreGate gate_;  // last: waits for what refers to the rest
};

void StoredFiles::note(FileEvent event, const StoredUpload& upload, std::uint64_t size_bytes) {
  ++events_[static_cast<std::size_t>(event)];
  if (!options_.on_operation) return;
  options_.on_operation({.event = event,
                         .time = clock_.now(),
                         .device = {upload.hub, upload.device_id, {}, upload.generation_id},
                         .blob_name = upload.blob_name,
                         .size_bytes = size_bytes});
}

void StoredFiles::open_upload(const Identity& device, std::string blob_name, std::string_view host,
                              Done<UploadTicket> done) {
  auto full_name = device.device_id + "/" + blob_name;
  if (auto checked = check_blob_name(full_name); !checked) return done(std::unexpected(checked.error()));
  if (!device.module_id.empty()) return done(hub_fail(kArgumentInvalid, "Devices upload files; modules do not."));
  if (!is_host(host)) return done(hub_fail(kArgumentInvalid, "The Host header names no host."));
  if (auto room = store_->take(1); !room) {
    ++refused_room_;
    return done(std::unexpected(from_disk(room.error())));
  }
  store_->give_back(1);
  const auto now = clock_.now();
  auto upload =
      std::make_shared<StoredUpload>(StoredUpload{random_uuid(), device.hub, device.device_id, device.generation_id,
                                                  std::move(full_name), std::string(host), now, now + kUploadLifetime});
  gate_.submit(
      [upload](sqlite3* db) -> Result<> {
        TRY(const auto generation, state::CommandTable::generation(db, upload->hub, upload->device_id));
        if (generation != upload->generation_id) return fail(Errc::not_found, "files.device");
        TRY(const auto open, UploadTable::open_count(db, upload->hub, upload->device_id, upload->created));
        if (open >= kUploadsOpenMax) return fail(Errc::limit_exceeded, kTooMany);
        return UploadTable::insert(db, *upload);
      },
      [this, upload, done = std::move(done)](Result<> opened) mutable {
        if (!opened && opened.error().where == kTooMany) {
          ++refused_open_;
          return done(hub_fail(kUploadsTooMany, fmt::format("{} uploads of this device are open already: report the "
                                                            "end of one, or wait an hour.",
                                                            kUploadsOpenMax)));
        }
        if (!opened) return done(std::unexpected(from_store(opened.error(), upload->device_id)));
        note(FileEvent::opened, *upload);
        done(UploadTicket{upload->correlation_id, upload->host, std::string(kContainerPrefix) + upload->hub,
                          upload->blob_name,
                          make_blob_signature(key_, upload->hub, upload->blob_name, upload->expires)});
      });
}

void StoredFiles::close_upload(const Identity& device, UploadResult result, Done<> done) {
  struct Work {
    StoredUpload upload;
    std::optional<StoredBlob> blob;  ///< What was put in this upload.
  };
  auto work = std::make_shared<Work>();
  gate_.submit(
      [work, device, id = std::move(result.correlation_id), success = result.success,
       public_host = options_.public_host, now = clock_.now()](sqlite3* db) -> Result<> {
        TRY(auto upload, UploadTable::find(db, id));
        if (!upload || upload->hub != device.hub || upload->device_id != device.device_id ||
            upload->generation_id != device.generation_id || !device.module_id.empty()) {
          return fail(Errc::not_found, kNoUpload);
        }
        work->upload = *std::move(upload);
        const auto& open = work->upload;
        TRY_VOID(UploadTable::remove(db, id));
        TRY(work->blob, BlobTable::find(db, open.hub, open.blob_name));
        if (work->blob && work->blob->modified < open.created) work->blob.reset();  // of an earlier upload
        if (!work->blob) return {};
        if (!success) return BlobTable::remove(db, open.hub, open.blob_name);
        return state::FileNotificationTable::insert(
            db, {0, open.hub, open.device_id, blob_uri(open, public_host), open.blob_name, work->blob->modified,
                 work->blob->size_bytes, now});
      },
      [this, work, success = result.success, done = std::move(done)](Result<> closed) mutable {
        if (!closed && closed.error().where == kNoUpload) {
          return done(hub_fail(kArgumentInvalid, "There is no such open upload of this device."));
        }
        if (!closed) return done(std::unexpected(from_store(closed.error(), "upload")));
        const auto& upload = work->upload;
        note(success ? FileEvent::completed : FileEvent::failed, upload, work->blob ? work->blob->size_bytes : 0);
        if (success && work->blob) notifications_.added(upload.hub);
        if (!success) {
          if (work->blob) drop(*work->blob);
          const BlobGrant grant{BlobAction::put_list, upload.hub, upload.blob_name, {}};
          run_job([this, key = block_key(grant)] { store_->remove_blocks(key); });
        }
        done({});
      });
}

HubResult<BlobGrant> StoredFiles::grant_blob(std::string_view method, std::string_view target) const {
  auto request = parse_blob_request(method, target);
  if (!request) return std::unexpected(std::move(request).error());
  if (auto verified = verify_blob_signature(key_, *request, clock_.now()); !verified) {
    ++refused_signature_;
    return std::unexpected(std::move(verified).error());
  }
  return BlobGrant{request->action, std::move(request->hub), std::move(request->name), std::move(request->block_id)};
}

HubResult<> StoredFiles::check_open(const BlobGrant& grant) const {
  bool open = false;
  const auto looked = database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(open, UploadTable::is_open(db, grant.hub, grant.name, clock_.now()));
    return {};
  });
  if (!looked) return std::unexpected(from_store(looked.error(), "upload"));
  if (!open) return hub_fail(kUnauthorized, "This upload is closed.");
  return {};
}

HubResult<std::unique_ptr<BlobUpload>> StoredFiles::begin_blob(const BlobGrant& grant,
                                                               std::optional<std::uint64_t> length,
                                                               std::string_view content_type) {
  if (grant.action != BlobAction::put && grant.action != BlobAction::put_block) {
    return hub_fail(kArgumentInvalid, "This request carries no blob.");
  }
  if (length && *length > kBlobBytesMax) {
    return hub_fail(kTooLarge, fmt::format("A blob has at most {} bytes.", kBlobBytesMax));
  }
  if (auto open = check_open(grant); !open) return std::unexpected(std::move(open).error());
  auto file = store_->make_temporary();
  if (!file) return std::unexpected(from_disk(file.error()));
  const auto room_min = grant.action == BlobAction::put_block ? kBlockRoomMin : 0;
  return std::make_unique<PendingBlob>(
      *store_, *std::move(file), length, room_min,
      [this, grant, type = clean_content_type(content_type)](std::shared_ptr<TemporaryFile> whole, std::uint64_t size,
                                                             Done<BlobFacts> done) mutable {
        finish(grant, std::move(whole), size, std::move(type), std::move(done));
      });
}

void StoredFiles::finish(const BlobGrant& grant, std::shared_ptr<TemporaryFile> file, std::uint64_t size,
                         std::string content_type, Done<BlobFacts> done) {
  auto shared = std::make_shared<Done<BlobFacts>>(std::move(done));  // also for the refusal below
  const bool whole = grant.action == BlobAction::put;
  const bool taken =
      run_job([this, grant, file, size, content_type = std::move(content_type), whole, shared]() mutable {
        if (whole) return publish(grant, *file, size, std::move(content_type), std::move(*shared));
        const auto now = clock_.now();
        if (auto staged = store_->publish_block(*file, block_key(grant), grant.block_id, now); !staged) {
          store_->give_back(std::max(size, kBlockRoomMin));
          return (*shared)(std::unexpected(from_disk(staged.error())));
        }
        bytes_written_ += size;
        (*shared)(BlobFacts{grant.name, size, std::move(content_type), "\"block\"", now});
      });
  if (taken) return;
  store_->give_back(whole ? size : std::max(size, kBlockRoomMin));
  (*shared)(hub_fail(kUnavailable, "The object storage is busy. Try again."));
}

void StoredFiles::publish(const BlobGrant& grant, TemporaryFile& file, std::uint64_t size, std::string content_type,
                          Done<BlobFacts> done) {
  const auto name = store_->publish(file);
  if (!name) {
    store_->give_back(size);
    return done(std::unexpected(from_disk(name.error())));
  }
  struct Work {
    StoredBlob blob;
    std::optional<StoredBlob> before;
  };
  auto work =
      std::make_shared<Work>(Work{{grant.hub, grant.name, *name, size, std::move(content_type), clock_.now()}, {}});
  gate_.submit(
      [work](sqlite3* db) -> Result<> {
        TRY(work->before, BlobTable::find(db, work->blob.hub, work->blob.name));
        return BlobTable::put(db, work->blob);
      },
      [this, work, done = std::move(done)](Result<> stored) mutable {
        if (!stored) {
          drop(work->blob);
          return done(std::unexpected(from_store(stored.error(), "blob")));
        }
        if (work->before) drop(*work->before);
        ++blobs_written_;
        bytes_written_ += work->blob.size_bytes;
        done(facts_of(work->blob));
      });
}

void StoredFiles::drop(const StoredBlob& blob) {
  // Without the worker it becomes an orphan, which the next start removes.
  if (!run_job([this, blob] { store_->remove_blob(blob.file, blob.size_bytes); })) store_->give_back(blob.size_bytes);
}

void StoredFiles::commit_blocks(const BlobGrant& grant, std::string_view body, std::string_view content_type,
                                Done<BlobFacts> done) {
  if (grant.action != BlobAction::put_list) return done(hub_fail(kArgumentInvalid, "This request has no block list."));
  if (body.size() > kBlockListBytesMax) return done(hub_fail(kTooLarge, "The block list is too long."));
  if (auto open = check_open(grant); !open) return done(std::unexpected(std::move(open).error()));
  auto ids = parse_block_list(body);
  if (!ids) {
    return done(hub_fail(kArgumentInvalid, fmt::format("The block list is not valid: {}.", describe(ids.error()))));
  }
  auto shared = std::make_shared<Done<BlobFacts>>(std::move(done));
  const bool taken = run_job([this, grant, ids = *std::move(ids), type = clean_content_type(content_type), shared] {
    const auto key = block_key(grant);
    auto file = store_->make_temporary();
    if (!file) return (*shared)(std::unexpected(from_disk(file.error())));
    const auto size = store_->join(key, ids, *file, kBlobBytesMax);
    if (!size) return (*shared)(std::unexpected(from_disk(size.error())));
    publish(grant, *file, *size, type, [this, key, shared](HubResult<BlobFacts> published) {
      if (published) run_job([this, key] { store_->remove_blocks(key); });
      (*shared)(std::move(published));
    });
  });
  if (!taken) (*shared)(hub_fail(kUnavailable, "The object storage is busy. Try again."));
}

HubResult<BlobReading> StoredFiles::read_blob(std::string_view hub, std::string_view name) {
  constexpr int kAttempts = 3;  // a blob that is replaced between row and file has another file
  for (int i = 0; i < kAttempts; ++i) {
    std::optional<StoredBlob> blob;
    const auto looked = database_.look_up([&](sqlite3* db) -> Result<> {
      TRY(blob, BlobTable::find(db, hub, name));
      return {};
    });
    if (!looked) return std::unexpected(from_store(looked.error(), "blob"));
    if (!blob) break;
    auto file = store_->open_blob(blob->file);
    if (file) return BlobReading{facts_of(*blob), *std::move(file)};
    if (file.error().os_error != ENOENT) return std::unexpected(from_disk(file.error()));
  }
  return hub_fail(kDeviceNotFound, "There is no such blob.");
}

HubResult<std::vector<BlobFacts>> StoredFiles::list_blobs(std::string_view hub, std::string_view device_id,
                                                          std::string_view after, std::size_t count_max) {
  std::vector<BlobFacts> out;
  const auto prefix = device_id.empty() ? std::string() : std::string(device_id) + "/";
  const auto read = database_.read([&](sqlite3* db) -> Result<> {
    TRY(const auto blobs, BlobTable::list(db, hub, prefix, after, count_max));
    for (const auto& blob : blobs) out.push_back(facts_of(blob));
    return {};
  });
  if (!read) return std::unexpected(from_store(read.error(), "blobs"));
  return out;
}

void StoredFiles::remove_blob(std::string_view hub, std::string_view name, const state::Actor& actor, Done<> done) {
  auto blob = std::make_shared<std::optional<StoredBlob>>();
  gate_.submit(
      [blob, hub = std::string(hub), name = std::string(name)](sqlite3* db) -> Result<> {
        TRY(*blob, BlobTable::find(db, hub, name));
        if (!*blob) return fail(Errc::not_found, "files.blob");
        return BlobTable::remove(db, hub, name);
      },
      [this, blob, user = actor.user, done = std::move(done)](Result<> removed) mutable {
        if (!removed) return done(std::unexpected(from_store(removed.error(), "The blob")));
        log::info("files", "{} removed the blob {} of hub {}", user, (*blob)->name, (*blob)->hub);
        drop(**blob);
        done({});
      });
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

}  // namespace

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
