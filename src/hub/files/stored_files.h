// Uploads and blobs over state and folder: tickets in stored_uploads.cc, content in stored_blobs.cc, upkeep and
// construction in file_service.cc.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/bytes.h"
#include "blob_request.h"
#include "blob_store.h"
#include "hub/file_service.h"
#include "hub/store_gate.h"
#include "notification_queue.h"
#include "state/uploads.h"
#include "worker.h"

namespace picket::hub {

/// Staged blocks of one blob are found by this.
inline std::string block_key(const BlobGrant& grant) { return grant.hub + '\0' + grant.name; }

/// Any thread. State is written behind the gate, files by the worker; both end before what they refer to.
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
  void drop(const state::StoredBlob& blob);
  void expire_tickets();
  void remove_orphans();
  void note(FileEvent event, const state::StoredUpload& upload, std::uint64_t size_bytes = 0);

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

}  // namespace picket::hub
