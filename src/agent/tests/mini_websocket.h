// The server's side of a WebSocket for tests: a second implementation, by the words of RFC 6455.
#pragma once

#include <optional>
#include <string>

#include "base/core/bytes.h"

namespace picket::agent::test {

/// Strict where a client has duties: the handshake's fields, masks, shortest lengths.
class MiniWebSocket {
 public:
  /// The answer to a whole handshake; empty: it is none, and `problem` says why.
  std::string accept(const std::string& head);
  /// Bytes of the client's data frames; nullopt: broken, see `problem`.
  std::optional<Buffer> receive(Bytes bytes);
  /// The bytes as a server sends them: in two fragments with a ping between them.
  static Buffer frames(Bytes bytes);

  std::string problem;
  std::size_t pongs = 0;
  bool closed = false;

 private:
  Buffer pending_;
};

}  // namespace picket::agent::test
