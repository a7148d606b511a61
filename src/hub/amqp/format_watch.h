// What Proton does not tell of the frames a client sends: the message format of transfers, and frames that may come but
// once. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/cursor.h"

namespace picket::hub::amqp {

/// Sees the same bytes as Proton. Only formats other than 0 are kept, by delivery tag; the tags of two links may be
/// equal, so an answer is a hint: who gets one must still see whether the message is of that format. Never fails; bytes
/// that are no frames end the watching.
class FormatWatch {
 public:
  void input(Bytes bytes);
  /// The format of the transfer with this tag; 0: the standard one, or not known.
  std::uint32_t take(std::string_view tag);
  /// The client spoke SASL twice or too late, or said "open" twice: the connection must end before Proton sees these
  /// bytes. It reads such a frame like the first and forgets what it held of that, so that a client without any
  /// credential could fill the memory.
  [[nodiscard]] bool repeated() const { return repeated_; }

  static constexpr std::size_t kPendingMax = 1024;
  static constexpr std::size_t kHeadBytesMax = 128;  ///< Of a frame: enough for a transfer up to its format.

 private:
  void on_head();
  void on_performative(Cursor in);
  [[nodiscard]] std::size_t head_wanted() const;

  Buffer head_;           ///< Beginning of the current frame or protocol header.
  std::size_t skip_ = 0;  ///< Bytes of the current frame behind the head.
  bool lost_ = false;
  bool repeated_ = false;
  bool sasl_over_ = false;
  bool opened_ = false;
  std::map<std::string, std::uint32_t, std::less<>> pending_;
};

}  // namespace picket::hub::amqp
