// Tickets: a device opens an upload and says how it ended.
#include <fmt/format.h>

#include "base/core/encoding.h"
#include "base/core/random.h"
#include "pending_blob.h"
#include "state/commands.h"
#include "stored_files.h"

namespace picket::hub {
namespace {

constexpr std::string_view kTooMany = "files.uploads_open";
constexpr std::string_view kNoUpload = "files.upload";

using state::BlobTable;
using state::StoredBlob;
using state::StoredUpload;
using state::UploadTable;

/// "name", "192.0.2.1", "[::1]", each perhaps with a port: it becomes part of a URI that others open.
bool is_host(std::string_view text) {
  constexpr std::size_t kHostBytesMax = 255;
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
  return !text.empty() && text.size() <= kHostBytesMax && text.find_first_not_of(kLetters) == std::string_view::npos;
}

std::string blob_uri(const StoredUpload& upload, std::string_view public_host) {
  std::string path = percent_encode(upload.blob_name);
  for (std::size_t at; (at = path.find("%2F")) != std::string::npos;) path.replace(at, 3, "/");
  return fmt::format("https://{}/{}{}/{}", public_host.empty() ? upload.host : public_host, kContainerPrefix,
                     percent_encode(upload.hub), path);
}

}  // namespace

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

}  // namespace picket::hub
