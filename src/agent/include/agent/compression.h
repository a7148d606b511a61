// Compression of a message on its way to the hub.
#pragma once

#include <optional>
#include <string_view>

#include "base/core/bytes.h"

namespace picket::agent {

/// The hub refuses a body above 64 KiB that grows fifty-fold (message::Limits): such a message is sent as it is.
constexpr bool hub_takes(std::size_t compressed_bytes, std::size_t message_bytes) {
  return message_bytes <= std::size_t{64} << 10 || message_bytes / 40 < compressed_bytes;
}

/// The message, compressed when the result is at least an eighth smaller; nullopt otherwise. gzip (RFC 1952), or zstd
/// (RFC 8878) where the agent was built with PICKET_AGENT_ZSTD.
std::optional<Buffer> compress_message(std::string_view message);
/// What `$.ce` says of a compressed message: "gzip" or "zstd".
std::string_view compression_name();

}  // namespace picket::agent
