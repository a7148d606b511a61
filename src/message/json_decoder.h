// JSON security messages: our 3.x and the classic agents' 1.0.
#pragma once

#include <memory>

#include "message/decoder.h"

namespace picket::message {

/// Holds the parser's buffers between messages. One thread.
class JsonDecoder {
 public:
  explicit JsonDecoder(Limits limits);
  ~JsonDecoder();

  /// `text` is a whole message, already decompressed; errors as Decoder::decode says.
  Result<SecurityMessage> decode(std::string_view text);

 private:
  struct Parser;
  Limits limits_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace picket::message
