#include <memory>

#include <zstd.h>

#include "agent/compression.h"

namespace picket::agent {

std::optional<Buffer> compress_message(std::string_view message) {
  // Below this the header and the property cost more than is won.
  constexpr std::size_t kWorthBytes = 512;
  // 200 KB of memory for the time of a message. Stronger settings win a percent.
  constexpr std::pair<ZSTD_cParameter, int> kSettings[] = {
      {ZSTD_c_strategy, ZSTD_greedy}, {ZSTD_c_windowLog, 15}, {ZSTD_c_hashLog, 13},     {ZSTD_c_chainLog, 13},
      {ZSTD_c_searchLog, 4},          {ZSTD_c_minMatch, 4},   {ZSTD_c_targetLength, 8}, {ZSTD_c_checksumFlag, 1}};
  if (message.size() < kWorthBytes) return std::nullopt;
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  if (!context) return std::nullopt;
  for (const auto& [parameter, value] : kSettings) {
    if (ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), parameter, value)) != 0) return std::nullopt;
  }
  Buffer out(message.size() - message.size() / 8);
  const std::size_t length = ZSTD_compress2(context.get(), out.data(), out.size(), message.data(), message.size());
  // An error here is no room: not worth it.
  if (ZSTD_isError(length) != 0 || !hub_takes(length, message.size())) return std::nullopt;
  out.resize(length);
  return out;
}

std::string_view compression_name() { return "zstd"; }

}  // namespace picket::agent
