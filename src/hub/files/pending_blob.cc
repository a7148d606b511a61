#include "pending_blob.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/server/log.h"

namespace picket::hub {
namespace {

/// Room is taken in steps: each asks the file system how much is free.
constexpr std::uint64_t kRoomStep = 1 << 20;

}  // namespace

HubError from_disk(const Error& error) {
  if (error.code == Errc::limit_exceeded && (error.where == "files.total" || error.where == "files.disk_reserve")) {
    return {kQuotaExceeded, "The object storage is full."};
  }
  if (error.code == Errc::limit_exceeded) {
    return {kTooLarge, fmt::format("A blob has at most {} bytes in {} blocks.", kBlobBytesMax, kBlocksMax)};
  }
  if (error.code == Errc::not_found) return {kArgumentInvalid, "The list names a block that is not there."};
  log::error("files", "{}", describe(error));
  return {kUnavailable, "The object storage does not answer now. Try again."};
}

HubResult<> PendingBlob::append(Bytes bytes) {
  if (bytes.size() > kBlobBytesMax - size_ || (length_ && bytes.size() > *length_ - size_)) {
    return hub_fail(kTooLarge, fmt::format("A blob has at most {} bytes, and not more than announced.", kBlobBytesMax));
  }
  if (auto room = reserve(size_ + bytes.size()); !room) return room;
  if (auto written = write_all(file_->fd(), bytes); !written) return std::unexpected(from_disk(written.error()));
  size_ += bytes.size();
  return {};
}

void PendingBlob::finish(Done<BlobFacts> done) {
  if (length_ && size_ != *length_) return done(hub_fail(kArgumentInvalid, "The body is shorter than announced."));
  const auto needed = std::max(size_, room_min_);
  if (auto room = reserve(needed); !room) return done(std::unexpected(room.error()));
  store_.give_back(room_ - needed);  // what was taken ahead; the rest belongs to the blob from here
  room_ = 0;
  take_(std::move(file_), size_, std::move(done));
}

HubResult<> PendingBlob::reserve(std::uint64_t bytes) {
  if (bytes <= room_) return {};
  const auto step = std::max(bytes - room_, kRoomStep);
  if (store_.take(step)) {
    room_ += step;
    return {};
  }
  if (auto exact = store_.take(bytes - room_); !exact) return std::unexpected(from_disk(exact.error()));
  room_ = bytes;
  return {};
}

}  // namespace picket::hub
