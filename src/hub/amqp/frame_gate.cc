#include "frame_gate.h"

#include <algorithm>

#include "value.h"

namespace picket::hub::amqp {
namespace {

constexpr std::size_t kFrameHeadBytes = 8;
// Performatives (part 2.7).
constexpr std::uint64_t kOpen = 0x10;
constexpr std::uint64_t kBegin = 0x11;
constexpr std::uint64_t kFlow = 0x13;
constexpr std::uint64_t kTransfer = 0x14;
constexpr std::uint64_t kDisposition = 0x15;
constexpr std::uint64_t kDetach = 0x16;
constexpr std::uint64_t kEnd = 0x17;
constexpr std::size_t kSessionsMax = 1024;
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

std::size_t FrameGate::head_wanted() const {
  if (!begun_ || head_.size() < kFrameHeadBytes || as_text(head_).starts_with("AMQP")) return kFrameHeadBytes;
  const auto size = Cursor{head_}.be<std::uint32_t>().value_or(0);
  return std::min<std::size_t>(size, kHeadBytesMax);
}

Bytes FrameGate::take(Bytes& bytes) {
  if (lost_) return std::exchange(bytes, {});
  if (rest_ > 0) {
    const auto piece = bytes.first(std::min(rest_, bytes.size()));
    rest_ -= piece.size();
    bytes = bytes.subspan(piece.size());
    return drop_ ? Bytes() : piece;
  }
  while (!bytes.empty() && head_.size() < head_wanted()) {  // the first eight bytes tell how many are wanted
    const auto n = std::min(head_wanted() - head_.size(), bytes.size());
    append(head_, bytes.first(n));
    bytes = bytes.subspan(n);
  }
  if (head_.size() < kFrameHeadBytes || head_.size() < head_wanted()) return {};
  given_ = std::exchange(head_, {});
  drop_ = false;
  on_head();
  return drop_ ? Bytes() : Bytes(given_);
}

void FrameGate::on_head() {
  if (as_text(given_).starts_with("AMQP")) {
    if (given_[4] == std::byte{0}) sasl_over_ = true;  // the protocol's number: 3 is SASL, 0 is AMQP
    begun_ = true;
    return;
  }
  Cursor in{given_};
  const auto size = in.be<std::uint32_t>().value_or(0);
  const auto words = in.u8().value_or(0);
  const auto type = in.u8().value_or(0);
  const auto channel = in.be<std::uint16_t>().value_or(0);
  if (!begun_ || size < kFrameHeadBytes) {
    lost_ = true;
    return;
  }
  rest_ = size - given_.size();
  const auto begin = std::size_t{words} * 4;
  if (type != 0 && std::exchange(sasl_over_, true)) repeated_ = true;
  if (type != 0 || begin < kFrameHeadBytes || begin >= given_.size()) return;
  on_performative(channel, Cursor{Bytes(given_).subspan(begin)});
}

void FrameGate::on_performative(std::uint16_t channel, Cursor in) {
  Cursor at = in;
  switch (read_descriptor(at).value_or(0)) {
    case kOpen:
      repeated_ = repeated_ || std::exchange(opened_, true);
      return;
    case kBegin:
      ended_.erase(channel);
      if (sessions_.size() < kSessionsMax) sessions_.insert(channel);
      return;
    case kEnd:
      if (sessions_.contains(channel)) ended_.insert(channel);
      return;
    case kTransfer:
      drop_ = ended_.contains(channel);
      if (!drop_) note_format(in);
      return;
    case kFlow:
    case kDisposition:
    case kDetach:
      // rhea settles what still comes after it has ended its session. To Proton that is a breach of the protocol; it
      // closed the connection, and the SDK of Event Hubs waited for the ends of its links until its time was over.
      drop_ = ended_.contains(channel);
      return;
    default:
      return;
  }
}

void FrameGate::note_format(Cursor in) {
  auto transfer = read_transfer(in);
  if (!transfer || transfer->format == 0 || pending_.size() >= kPendingMax) return;
  pending_.insert_or_assign(std::move(transfer->tag), transfer->format);
}

std::uint32_t FrameGate::format_of(std::string_view tag) {
  const auto found = pending_.find(tag);
  if (found == pending_.end()) return 0;
  const auto format = found->second;
  pending_.erase(found);
  return format;
}

}  // namespace picket::hub::amqp
