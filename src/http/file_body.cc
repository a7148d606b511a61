#include "http/file_body.h"

#include <algorithm>
#include <cerrno>

#include <unistd.h>

namespace picket::http {
namespace {

Result<std::string> read_piece(int fd, std::uint64_t offset, std::size_t size) {
  std::string piece(size, '\0');
  for (;;) {
    const ssize_t got = ::pread(fd, piece.data(), size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("http.file.read");
    if (got == 0) return fail(Errc::malformed, "http.file.short");
    piece.resize(static_cast<std::size_t>(got));
    return piece;
  }
}

class FileSource final : public BodySource {
 public:
  FileSource(Workers& workers, asio::any_io_executor executor, UniqueFd file, std::uint64_t offset, std::uint64_t size)
      : workers_(workers),
        executor_(std::move(executor)),
        file_(std::move(file)),
        at_(offset),
        size_(size),
        left_(size) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  asio::awaitable<Result<std::string>> next() override {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kFilePieceBytes));
    std::move_only_function<Result<std::string>()> job = [fd = file_.get(), at = at_, size] {
      return read_piece(fd, at, size);
    };
    auto piece = co_await on_worker<Result<std::string>>(workers_, executor_, std::move(job));
    if (!piece) co_return fail(Errc::unavailable, "http.file.busy");
    if (*piece) {
      at_ += (*piece)->size();
      left_ -= (*piece)->size();
    }
    co_return *std::move(piece);
  }

 private:
  Workers& workers_;
  asio::any_io_executor executor_;
  UniqueFd file_;
  std::uint64_t at_;
  std::uint64_t size_;
  std::uint64_t left_;
};

}  // namespace

FileSink::FileSink(Workers& workers, asio::any_io_executor executor, UniqueFd file)
    : workers_(workers), executor_(std::move(executor)), file_(std::move(file)) {}

asio::awaitable<Result<>> FileSink::write(std::string piece) {
  std::move_only_function<Result<>()> job = [fd = file_.get(), offset = size_, &piece] {
    return write_all_at(fd, as_bytes(piece), offset);
  };
  auto written = co_await on_worker<Result<>>(workers_, executor_, std::move(job));
  if (!written) co_return fail(Errc::unavailable, "http.file.busy");
  if (*written) size_ += piece.size();
  co_return *std::move(written);
}

std::shared_ptr<BodySource> file_source(Workers& workers, asio::any_io_executor executor, UniqueFd file,
                                        std::uint64_t offset, std::uint64_t size) {
  return std::make_shared<FileSource>(workers, std::move(executor), std::move(file), offset, size);
}

}  // namespace picket::http
