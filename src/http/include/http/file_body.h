// Bodies from and into files, piece by piece, so that memory stays bounded; the disk is used on workers.
#pragma once

#include <cstdint>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include "base/core/file.h"
#include "http/message.h"
#include "http/workers.h"

namespace picket::http {

inline constexpr std::size_t kFilePieceBytes = 256U << 10;

/// Appends to an open file. `workers` outlive it. Errors: io (no space), unavailable (workers busy).
class FileSink final : public BodySink {
 public:
  FileSink(Workers& workers, asio::any_io_executor executor, UniqueFd file);
  asio::awaitable<Result<>> write(std::string piece) override;
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// The file, for fsync and more; no write() may follow.
  UniqueFd release() { return std::move(file_); }

 private:
  Workers& workers_;
  asio::any_io_executor executor_;
  UniqueFd file_;
  std::uint64_t size_ = 0;
};

/// `size` bytes of a file from `offset` on. Error malformed: the file has become shorter.
std::shared_ptr<BodySource> file_source(Workers& workers, asio::any_io_executor executor, UniqueFd file,
                                        std::uint64_t offset, std::uint64_t size);

}  // namespace picket::http
