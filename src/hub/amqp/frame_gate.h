// The frames of a client on their way to Proton: notes what Proton does not tell of them, and keeps from it what it
// takes badly. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/cursor.h"

namespace picket::hub::amqp {

/// Reads the head of each frame. Bounded: the formats of kPendingMax transfers, kHeadBytesMax held back, and no more
/// channels than Proton allows.
class FrameGate {
 public:
  /// Takes bytes off the front of `bytes`; returns what Proton is to see now: empty while a frame's head is not
  /// complete, and for a frame that is dropped. The view lives until the next call, and as long as `bytes`.
  Bytes take(Bytes& bytes);
  /// The client spoke SASL twice or too late, or said "open" twice: the connection must end before Proton sees what was
  /// returned last. It reads such a frame like the first and forgets what it held of that, so that a client without any
  /// credential could fill the memory.
  [[nodiscard]] bool repeated() const { return repeated_; }
  /// The message format of the transfer with this tag; 0: the standard one, or not known.
  std::uint32_t format_of(std::string_view tag);

  static constexpr std::size_t kPendingMax = 1024;
  static constexpr std::size_t kHeadBytesMax = 128;  ///< Of a frame: enough for a transfer up to its format.

 private:
  void on_head();
  void on_performative(std::uint16_t channel, Cursor in);
  void note_format(Cursor transfer);
  [[nodiscard]] std::size_t head_wanted() const;

  Buffer head_;           ///< Beginning of the current frame or protocol header.
  Buffer given_;          ///< The head that was returned last.
  std::size_t rest_ = 0;  ///< Bytes of the current frame behind the head.
  bool drop_ = false;     ///< The current frame.
  bool begun_ = false;    ///< A protocol header has come.
  bool lost_ = false;     ///< Nonsense: Proton sees all of it, and says so.
  bool repeated_ = false;
  bool sasl_over_ = false;
  bool opened_ = false;
  std::set<std::uint16_t> sessions_;  ///< Channels that were begun.
  std::set<std::uint16_t> ended_;     ///< Of these, ended and not begun again.
  std::map<std::string, std::uint32_t, std::less<>> pending_;
};

}  // namespace picket::hub::amqp
