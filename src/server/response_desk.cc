#include "response_desk.h"

#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "base/core/signing.h"

namespace picket::server {
namespace {

constexpr std::size_t kKeyBytesMax = 4'096;

/// Empty: there is none.
Result<std::string> read_key(const std::string& path) {
  auto text = read_file(path, kKeyBytesMax);
  if (!text && text.error().code == Errc::not_found) return std::string();
  if (!text) return std::unexpected(text.error());
  TRY(const std::string public_key, public_key_of(*text));
  return *std::move(text);
}

}  // namespace

Result<ResponseDesk> ResponseDesk::open(const std::string& secrets, std::string hub) {
  ResponseDesk out;
  out.hub_ = std::move(hub);
  const std::string path = secrets + "/response.key";
  TRY(out.key_, read_key(path));
  if (out.key_.empty()) {
    TRY(out.key_, make_signing_key());
    TRY_VOID(replace_file(path, as_bytes(out.key_)));
  }
  TRY(out.next_key_, read_key(secrets + "/response-next.key"));
  return out;
}

api::ResponsePublicKeys ResponseDesk::public_keys() const {
  api::ResponsePublicKeys out{.current = public_key_of(key_).value_or(""), .next = {}};
  if (!next_key_.empty()) out.next = public_key_of(next_key_).value_or("");
  return out;
}

Result<api::SignedResponse> ResponseDesk::sign(const api::ResponseOrder& order, Timestamp now) const {
  api::SignedResponse out{.id = random_uuid(), .payload = {}};
  JsonWriter command;
  command.begin_object().key("id").value(out.id).key("hub").value(hub_).key("device").value(order.device_id);
  command.key("module").value(order.module_id).key("generation").value(order.generation_id).key("issued").value(now);
  command.key("expires").value(now + order.lifetime).key("action").value(order.action);
  command.key("arguments").raw(order.arguments.empty() ? "{}" : order.arguments).end_object();
  const std::string text = command.take();
  JsonWriter payload;
  payload.begin_object().key("command").value(to_base64(as_bytes(text))).key("signatures").begin_array();
  for (const std::string* const key : {&key_, &next_key_}) {
    if (key->empty()) continue;
    TRY(const Buffer signature, picket::sign(*key, as_bytes(text)));
    payload.value(to_base64(signature));
  }
  out.payload = payload.end_array().end_object().take();
  return out;
}

}  // namespace picket::server
