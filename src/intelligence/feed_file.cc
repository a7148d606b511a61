#include "intelligence/feed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/core/file.h"
#include "base/core/hash.h"
#include "intelligence/index_builder.h"
#include "varint.h"

namespace picket::intelligence {
namespace {

constexpr std::string_view kMagic = "PICKETTF1\n";
constexpr std::size_t kBlockBytes = 1U << 20;
constexpr std::size_t kBlockBytesMax = 2U << 20;
constexpr std::uint32_t kEnd = 0xFFFF'FFFF;  ///< Instead of a block's length: the count of indicators follows.

void encode(ByteWriter& out, const Indicator& one) {
  out.u8(static_cast<std::uint8_t>(one.what.kind)).u8(one.confidence);
  put_text(out, one.what.key);
  out.le(static_cast<std::uint64_t>(one.from.us)).le(static_cast<std::uint64_t>(one.until.us));
  put_text(out, one.threat);
  put_text(out, one.reference);
  put_text(out, one.source_id);
}

Result<Indicator> decode(Cursor& in) {
  Indicator out;
  TRY(const auto kind, in.u8());
  if (kind == 0 || kind > kKindMax) return fail(Errc::malformed, "intelligence.feed_file.kind");
  out.what.kind = static_cast<Kind>(kind);
  TRY(out.confidence, in.u8());
  TRY(out.what.key, get_text(in));
  TRY(const auto from, in.le<std::uint64_t>());
  TRY(const auto until, in.le<std::uint64_t>());
  out.from.us = static_cast<std::int64_t>(from);
  out.until.us = static_cast<std::int64_t>(until);
  TRY(out.threat, get_text(in));
  TRY(out.reference, get_text(in));
  TRY(out.source_id, get_text(in));
  if (out.what.key.empty() || out.what.key.size() > kKeyBytesMax) {
    return fail(Errc::malformed, "intelligence.feed_file.key");
  }
  return out;
}

Result<> read_exactly(int file, std::byte* out, std::size_t bytes) {
  while (bytes > 0) {
    const auto got = ::read(file, out, bytes);
    if (got < 0) return fail_errno("intelligence.feed_file.read");
    if (got == 0) return fail(Errc::truncated, "intelligence.feed_file");
    out += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return {};
}

}  // namespace

struct FeedFileWriter::State {
  std::string path;
  UniqueFd file;
  Buffer block;
  std::uint64_t count = 0;
  bool done = false;

  [[nodiscard]] std::string temporary() const { return path + ".new"; }
  Result<> flush() {
    if (block.empty()) return {};
    Buffer head;
    ByteWriter(head).le(static_cast<std::uint32_t>(block.size())).le(crc32c(block));
    TRY_VOID(write_all(file.get(), head));
    TRY_VOID(write_all(file.get(), block));
    block.clear();
    return {};
  }
};

FeedFileWriter::FeedFileWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
FeedFileWriter::~FeedFileWriter() {
  if (!state_->done) ::unlink(state_->temporary().c_str());
}

Result<std::unique_ptr<FeedFileWriter>> FeedFileWriter::make(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  TRY(state->file, open_file(state->temporary(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC));
  TRY_VOID(write_all(state->file.get(), as_bytes(kMagic)));
  return std::unique_ptr<FeedFileWriter>(new FeedFileWriter(std::move(state)));
}

std::uint64_t FeedFileWriter::count() const { return state_->count; }

Result<> FeedFileWriter::add(const Indicator& indicator) {
  if (state_->count >= kIndicatorsMax) return fail(Errc::limit_exceeded, "intelligence.feed_file", kIndicatorsMax);
  ++state_->count;
  ByteWriter out(state_->block);
  encode(out, indicator);
  return state_->block.size() < kBlockBytes ? Result<>{} : state_->flush();
}

Result<> FeedFileWriter::finish() {
  TRY_VOID(state_->flush());
  Buffer end;
  ByteWriter(end).le(kEnd).le(std::uint32_t{0}).le(state_->count);
  TRY_VOID(write_all(state_->file.get(), end));
  if (::fsync(state_->file.get()) != 0) return fail_errno("intelligence.feed_file.sync");
  if (::rename(state_->temporary().c_str(), state_->path.c_str()) != 0) {
    return fail_errno("intelligence.feed_file.rename");
  }
  state_->done = true;
  return sync_directory(state_->path.substr(0, state_->path.rfind('/')));
}

Result<> read_feed_file(const std::string& path, const std::function<Result<>(const Indicator&)>& each) {
  TRY(const UniqueFd file, open_file(path, O_RDONLY | O_CLOEXEC));
  Buffer buffer(kMagic.size());
  TRY_VOID(read_exactly(file.get(), buffer.data(), buffer.size()));
  if (as_text(buffer) != kMagic) return fail(Errc::malformed, "intelligence.feed_file.magic");
  std::uint64_t count = 0;
  for (;;) {
    buffer.resize(8);
    TRY_VOID(read_exactly(file.get(), buffer.data(), buffer.size()));
    Cursor head{Bytes(buffer)};
    TRY(const auto bytes, head.le<std::uint32_t>());
    TRY(const auto crc, head.le<std::uint32_t>());
    if (bytes == kEnd) break;
    if (bytes > kBlockBytesMax) return fail(Errc::malformed, "intelligence.feed_file.block");
    buffer.resize(bytes);
    TRY_VOID(read_exactly(file.get(), buffer.data(), buffer.size()));
    if (crc32c(buffer) != crc) return fail(Errc::malformed, "intelligence.feed_file.crc");
    Cursor in{Bytes(buffer)};
    while (!in.empty()) {
      TRY(const Indicator one, decode(in));
      ++count;
      TRY_VOID(each(one));
    }
  }
  buffer.resize(8);
  TRY_VOID(read_exactly(file.get(), buffer.data(), buffer.size()));
  TRY(const auto said, Cursor(Bytes(buffer)).le<std::uint64_t>());
  return said == count ? Result<>{} : fail(Errc::malformed, "intelligence.feed_file.count");
}

}  // namespace picket::intelligence
