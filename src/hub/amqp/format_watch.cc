#include "format_watch.h"

#include <algorithm>

#include "value.h"

namespace picket::hub::amqp {
namespace {

constexpr std::size_t kFrameHeadBytes = 8;
constexpr std::uint64_t kOpen = 0x10;
constexpr std::uint64_t kTransfer = 0x14;
constexpr std::size_t kTagBytesMax = 32;

struct Transfer {
  std::string tag;
  std::uint32_t format = 0;
};

/// The first four fields: handle, delivery-id, delivery-tag, message-format (part 2.7.5). The list may be cut off
/// behind them.
Result<Transfer> read_transfer(Cursor in) {
  TRY(const auto descriptor, read_descriptor(in));
  if (descriptor != kTransfer) return fail(Errc::unsupported, "amqp.transfer");
  TRY(const auto code, in.u8());
  if (code == 0xc0) {
    TRY_VOID(in.take(1 + 1));  // size, count
  } else if (code == 0xd0) {
    TRY_VOID(in.take(4 + 4));
  } else {
    return fail(Errc::malformed, "amqp.transfer");
  }
  TRY_VOID(skip_value(in));
  TRY_VOID(skip_value(in));
  TRY(const auto tag, read_value(in));
  TRY(const auto format, read_value(in));
  Transfer out{.tag = std::string(tag.text().value_or("")), .format = 0};
  out.format = static_cast<std::uint32_t>(format.integer().value_or(0));
  if (out.tag.size() > kTagBytesMax) return fail(Errc::malformed, "amqp.transfer.tag");
  return out;
}

}  // namespace

std::size_t FormatWatch::head_wanted() const {
  if (head_.size() < kFrameHeadBytes || as_text(head_).starts_with("AMQP")) return kFrameHeadBytes;
  const auto size = Cursor{head_}.be<std::uint32_t>().value_or(0);
  return std::min<std::size_t>(size, kHeadBytesMax);
}

void FormatWatch::input(Bytes bytes) {
  while (!bytes.empty() && !lost_) {
    const auto skipped = std::min(skip_, bytes.size());
    skip_ -= skipped;
    bytes = bytes.subspan(skipped);
    while (!bytes.empty() && head_.size() < head_wanted()) {
      const auto n = std::min(head_wanted() - head_.size(), bytes.size());
      append(head_, bytes.first(n));
      bytes = bytes.subspan(n);
    }
    if (head_.size() >= kFrameHeadBytes && head_.size() >= head_wanted()) on_head();
  }
}

void FormatWatch::on_head() {
  const auto head = std::exchange(head_, {});
  if (as_text(head).starts_with("AMQP")) {
    if (head[4] == std::byte{0}) sasl_over_ = true;  // the protocol's number: 3 is SASL, 0 is AMQP
    return;
  }
  Cursor in{head};
  const auto size = in.be<std::uint32_t>().value_or(0);
  const auto words = in.u8().value_or(0);
  const auto type = in.u8().value_or(0);
  if (size < kFrameHeadBytes) {
    lost_ = true;
    return;
  }
  skip_ = size - head.size();
  const auto begin = std::size_t{words} * 4;
  if (type != 0 && std::exchange(sasl_over_, true)) repeated_ = true;
  if (type == 0 && begin >= kFrameHeadBytes && begin < head.size()) on_performative(Cursor{Bytes(head).subspan(begin)});
}

void FormatWatch::on_performative(Cursor in) {
  Cursor descriptor = in;
  if (read_descriptor(descriptor).value_or(0) == kOpen && std::exchange(opened_, true)) repeated_ = true;
  auto transfer = read_transfer(in);
  if (!transfer || transfer->format == 0 || pending_.size() >= kPendingMax) return;
  pending_.insert_or_assign(std::move(transfer->tag), transfer->format);
}

std::uint32_t FormatWatch::take(std::string_view tag) {
  const auto found = pending_.find(tag);
  if (found == pending_.end()) return 0;
  const auto format = found->second;
  pending_.erase(found);
  return format;
}

}  // namespace picket::hub::amqp
