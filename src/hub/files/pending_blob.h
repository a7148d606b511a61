// One body on its way into the object storage.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "blob_store.h"
#include "hub/files.h"

namespace picket::hub {

/// What a failure of the store means for a client. Others than full, too large and unknown blocks are logged.
HubError from_disk(const Error& error);

/// Its room is taken as it grows, and given back unless the body was handed over.
class PendingBlob final : public BlobUpload {
 public:
  /// Gets the whole file, its size, and with it the room of max(size, room_min).
  using Take = std::move_only_function<void(std::shared_ptr<TemporaryFile>, std::uint64_t size, Done<BlobFacts>)>;

  /// `store` outlives it.
  PendingBlob(BlobStore& store, TemporaryFile file, std::optional<std::uint64_t> length, std::uint64_t room_min,
              Take take)
      : store_(store),
        file_(std::make_shared<TemporaryFile>(std::move(file))),
        length_(length),
        room_min_(room_min),
        take_(std::move(take)) {}
  ~PendingBlob() override { store_.give_back(room_); }

  HubResult<> append(Bytes bytes) override;
  void finish(Done<BlobFacts> done) override;

 private:
  HubResult<> reserve(std::uint64_t bytes);

  BlobStore& store_;
  std::shared_ptr<TemporaryFile> file_;  ///< Then the taker's: jobs of the worker are copied.
  std::optional<std::uint64_t> length_;
  std::uint64_t room_min_;
  Take take_;
  std::uint64_t size_ = 0;
  std::uint64_t room_ = 0;
};

}  // namespace picket::hub
