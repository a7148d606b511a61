#include "response_audit.h"

#include <memory>
#include <string>
#include <utility>

#include "base/core/bytes.h"
#include "base/core/encoding.h"
#include "base/core/json_reader.h"
#include "base/core/json_writer.h"
#include "base/server/log.h"
#include "state/outbox.h"

namespace picket::server {
namespace {

constexpr std::string_view kMethod = "PicketRespond";  // the agent's response/command.h
constexpr std::size_t kTextBytesMax = 512;

std::string text_member(std::string_view json, std::string_view name) {
  const auto value = parse_json(json);
  const auto member = value ? value->find(name) : std::nullopt;
  return member ? member->text().value_or("").substr(0, kTextBytesMax) : std::string();
}

struct Called {
  hub::IdentityKey target;
  std::string actor;
  std::string command, action;  ///< Claimed: whether they are signed is for the device to say.
};

Called read_call(const hub::IdentityKey& target, const hub::MethodRequest& request, std::string_view caller) {
  Called out{.target = target, .actor = std::string(caller), .command = {}, .action = {}};
  const auto value = parse_json(request.payload);
  const auto member = value ? value->find("command") : std::nullopt;
  const auto bytes = member ? from_base64(member->text().value_or("")) : Result<Buffer>(Buffer());
  if (!bytes) return out;
  out.command = text_member(as_text(*bytes), "id");
  out.action = text_member(as_text(*bytes), "action");
  return out;
}

std::string to_body(const Called& called, const hub::HubResult<hub::MethodReply>& reply) {
  JsonWriter body;
  body.begin_object().key("actor").value(called.actor).key("hub").value(called.target.hub);
  body.key("object").value(called.target.device_id).key("module").value(called.target.module_id);
  if (!called.command.empty()) body.key("command").value(called.command);
  if (!called.action.empty()) body.key("action").value(called.action);
  if (reply) {
    const bool done = reply->status == 200;
    body.key("outcome").value(done ? "done" : "refused").key("status").value(reply->status);
    body.key("reason").value(text_member(reply->payload, done ? "message" : "error"));
  } else {
    body.key("outcome").value("unanswered").key("code").value(reply.error().code);
    body.key("reason").value(reply.error().message);
  }
  return body.end_object().take();
}

}  // namespace

void AuditedMethods::invoke(const hub::IdentityKey& target, hub::MethodRequest request, std::string_view caller,
                            hub::Done<hub::MethodReply> done) {
  if (request.name != kMethod) return methods_.invoke(target, std::move(request), caller, std::move(done));
  Called called = read_call(target, request, caller);
  auto record = [this, called = std::move(called),
                 done = std::move(done)](hub::HubResult<hub::MethodReply> reply) mutable {
    const Timestamp now = clock_.now();
    std::string body = to_body(called, reply);
    auto add = [device = called.target.device_id, body = std::move(body), now](sqlite3* db) {
      return state::Outbox::add(db, "response.answer", device, body, now);
    };
    // Not waited for: the hub may be about to stop, and with it the caller.
    database_.submit(std::move(add), [](const Result<>& kept) {
      if (!kept)
        log::error("response", "the answer of a device is not in the audit record: {}", describe(kept.error()));
    });
    done(std::move(reply));
  };
  methods_.invoke(target, std::move(request), caller, std::move(record));
}

}  // namespace picket::server
