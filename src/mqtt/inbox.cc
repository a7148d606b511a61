#include "mqtt/inbox.h"

namespace picket::mqtt {

void Inbox::append(Bytes received) {
  if (at_ == buffer_.size()) {
    buffer_.clear();
    if (buffer_.capacity() > kIdleBytes) Buffer().swap(buffer_);
  } else if (at_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
  }
  at_ = 0;
  picket::append(buffer_, received);
}

void Inbox::release() {
  if (at_ != buffer_.size()) return;
  Buffer().swap(buffer_);
  at_ = 0;
}

Result<std::optional<Packet>> Inbox::next(const Limits& limits, Role role) {
  Cursor in{Bytes(buffer_).subspan(at_)};
  TRY(auto packet, decode(in, limits, role));
  at_ += static_cast<std::size_t>(in.offset());
  return packet;
}

}  // namespace picket::mqtt
