// Content: blobs and blocks are written, joined, read, listed and removed.
#include <fmt/format.h>

#include "base/server/log.h"
#include "block_list.h"
#include "pending_blob.h"
#include "stored_files.h"

namespace picket::hub {
namespace {

constexpr std::size_t kContentTypeBytesMax = 256;

using state::BlobTable;
using state::StoredBlob;
using state::UploadTable;

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

}  // namespace

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

}  // namespace picket::hub
