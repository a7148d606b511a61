#include "memory.h"

#include <algorithm>

#include "base/core/bytes.h"
#include "base/core/file.h"
#include "base/core/json_reader.h"
#include "base/core/json_writer.h"

namespace picket::agent {
namespace {

constexpr std::string_view kTakenFile = "/taken", kOriginFile = "/origin", kKeyFile = "/key";
constexpr std::size_t kFileBytesMax = 64 << 10;

}  // namespace

ResponseMemory ResponseMemory::open(std::string directory, Timestamp now) {
  ResponseMemory out(std::move(directory));
  (void)make_directories(out.directory_);
  const auto taken = read_file(out.directory_ + std::string(kTakenFile), kFileBytesMax);
  const auto json = taken ? parse_json(*taken, 3) : Result<Json>(fail(Errc::not_found, "response.taken"));
  if (json && json->kind() == Json::Kind::object) {
    json->for_members([&](std::string_view id, Json expires) {
      if (const auto us = expires.integer(); us && out.taken_.size() < kCommandsMax) {
        out.taken_.push_back({std::string(id), Timestamp{*us}});
      }
    });
  } else if (taken || taken.error().code != Errc::not_found) {
    out.not_before_ = now;
  }
  if (const auto origin = read_file(out.directory_ + std::string(kOriginFile), kFileBytesMax)) {
    const auto end = origin->find('\n');
    if (end != std::string::npos) {
      out.hub_ = origin->substr(0, end);
      out.generation_ = origin->substr(end + 1);
    }
  }
  if (auto key = read_file(out.directory_ + std::string(kKeyFile), kFileBytesMax)) out.rotated_key_ = *std::move(key);
  return out;
}

Result<> ResponseMemory::take(std::string_view id, Timestamp issued, Timestamp expires, Timestamp now) {
  std::erase_if(taken_, [now](const Taken& each) { return each.expires <= now; });
  if (issued < not_before_ || std::ranges::find(taken_, id, &Taken::id) != taken_.end()) {
    return fail(Errc::exists, "response.taken");
  }
  if (taken_.size() >= kCommandsMax) return fail(Errc::limit_exceeded, "response.taken");
  taken_.push_back({std::string(id), expires});
  return write_taken();
}

Result<> ResponseMemory::write_taken() {
  JsonWriter json;
  json.begin_object();
  for (const Taken& each : taken_) json.key(each.id).value(each.expires.us);
  return replace_file(directory_ + std::string(kTakenFile), as_bytes(json.end_object().take()));
}

Result<> ResponseMemory::remember_origin(std::string_view hub, std::string_view generation) {
  hub_ = hub;
  generation_ = generation;
  const std::string text = hub_ + "\n" + generation_;
  return replace_file(directory_ + std::string(kOriginFile), as_bytes(text));
}

Result<> ResponseMemory::rotate_key(std::string_view pem) {
  TRY_VOID(replace_file(directory_ + std::string(kKeyFile), as_bytes(pem)));
  rotated_key_ = pem;
  return {};
}

}  // namespace picket::agent
