#include "responder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"
#include "base/core/json_writer.h"
#include "base/core/signature.h"
#include "process_action.h"
#include "support/event_record.h"

namespace picket::agent {
namespace {

constexpr std::size_t kKeyBytesMax = 4'096;
constexpr std::size_t kReportedArgumentsMax = 1'024;
constexpr Origin kOrigin{"response", "response", false};

/// The key may be read by anybody, but be changed by root and this user only: whoever can change it commands the
/// device.
Checked<std::string> read_pinned_key(const std::string& path) {
  const auto file = open_file(path, O_RDONLY | O_NONBLOCK);
  struct stat info{};
  if (!file) return std::unexpected(path + ": cannot be read (" + describe(file.error()) + ")");
  if (::fstat(file->get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::unexpected(path + ": is no file");
  if ((info.st_mode & 022) != 0 || (info.st_uid != 0 && info.st_uid != ::geteuid())) {
    return std::unexpected(path + ": others may change it; run: chown root " + path + "; chmod 644 " + path);
  }
  auto read = read_file(path, kKeyBytesMax);
  if (!read) return std::unexpected(path + ": " + describe(read.error()));
  std::string text = *std::move(read);
  if (!check_public_key(text)) return std::unexpected(path + ": is no public key on P-256 in PEM");
  return text;
}

CommandTarget target_of(const std::string& identity, const ResponseMemory& memory) {
  const auto slash = identity.find('/');
  return {.device = identity.substr(0, slash),
          .module = slash == std::string::npos ? std::string() : identity.substr(slash + 1),
          .hub = memory.hub(),
          .generation = memory.generation()};
}

std::string error_json(std::string_view text) {
  JsonWriter json;
  return json.begin_object().key("error").value(text).end_object().take();
}

}  // namespace

Responder::Responder(ResponderParts parts)
    : parts_(std::move(parts)),
      memory_(ResponseMemory::open(parts_.data_dir + "/response", parts_.loop.clock().now())),
      isolation_(parts_.loop, {.state_file = parts_.data_dir + "/response/isolation"},
                 [this](bool released, std::string_view id, const std::string& text) {
                   report({.id = std::string(id), .action = "isolate"},
                          released ? message::ResponseResult::Ended : message::ResponseResult::Failed, text);
                 }),
      files_(parts_.loop, parts_.sink),
      block_(parts_.loop, parts_.settings, parts_.data_dir + "/response/blocked",
             [this](Block::Notice notice, std::string_view id, const std::string& arguments, const std::string& text) {
               report({.id = std::string(id),
                       .action = notice == Block::Notice::list ? "block" : "exec",
                       .arguments = arguments},
                      notice == Block::Notice::refused ? message::ResponseResult::Refused
                                                       : message::ResponseResult::Failed,
                      text);
             }) {
  add_actions();
}
Responder::~Responder() = default;

void Responder::add_actions() {
  const auto process = [](const ResponseCommand& command, const Json& arguments) {
    return signal_process(command.action, arguments);
  };
  for (const std::string_view name : {"kill", "suspend", "resume"}) {
    actions_.emplace(name, Action{&ResponseSettings::process, "response.process", process});
  }
  actions_.emplace("isolate", Action{&ResponseSettings::isolate, "response.isolate",
                                     [this](const ResponseCommand& command, const Json& arguments) {
                                       return isolation_.isolate(arguments, parts_.hub(), command.id);
                                     }});
  actions_.emplace("release", Action{&ResponseSettings::isolate, "response.isolate",
                                     [this](const ResponseCommand&, const Json&) { return isolation_.release(); }});
  actions_.emplace("block", Action{&ResponseSettings::block, "response.block",
                                   [this](const ResponseCommand& command, const Json& arguments) {
                                     return block_.block(arguments, command.id);
                                   }});
  actions_.emplace("unblock",
                   Action{&ResponseSettings::block, "response.block",
                          [this](const ResponseCommand&, const Json& arguments) { return block_.unblock(arguments); }});
  actions_.emplace("collect", Action{&ResponseSettings::collect, "response.collect",
                                     [this](const ResponseCommand& command, const Json& arguments) {
                                       return files_.collect(arguments, parts_.settings.collect_bytes_max, command.id);
                                     }});
  actions_.emplace("scan", Action{&ResponseSettings::scan, "response.scan",
                                  [this](const ResponseCommand&, const Json& arguments) -> ActionResult {
                                    const auto name = arguments.find("collector");
                                    const std::string collector = name ? name->text().value_or("") : "";
                                    if (parts_.scan && parts_.scan(collector)) return {200, "scanning: " + collector};
                                    return {404, "there is no running collector '" + collector.substr(0, 64) + "'"};
                                  }});
  actions_.emplace("rotate-key", Action{nullptr, "", [this](const ResponseCommand&, const Json& arguments) {
                                          return rotate_key(arguments);
                                        }});
}

void Responder::start() {
  isolation_.resume();
  block_.resume();
}

Refusal Responder::verify(const MethodCall& call, ResponseCommand& command) {
  std::string key = memory_.rotated_key();
  if (key.empty()) {
    if (parts_.settings.key_file.empty()) return {501, "response is off on this device: response.key_file is not set"};
    auto pinned = read_pinned_key(parts_.settings.key_file);
    if (!pinned) return {501, "response is off on this device: response.key_file " + pinned.error()};
    key = *std::move(pinned);
  }
  const auto request = parse_signed_command(call.payload);
  if (!request) return {400, "no signed command: " + describe(request.error())};
  bool verified = false;
  for (const Buffer& signature : request->signatures) {
    verified = verified || verify_signature(key, request->command, signature).has_value();
  }
  if (!verified) return {401, "the command is not signed with the key that this device has pinned"};
  auto parsed = parse_command(as_text(request->command));
  if (!parsed) return {400, "the signed command cannot be read: " + describe(parsed.error())};
  command = *std::move(parsed);
  const Timestamp now = parts_.loop.clock().now();
  if (auto refusal = check_command(command, target_of(parts_.identity(), memory_), now)) return *std::move(refusal);
  if (const auto taken = memory_.take(command.id, command.issued, command.expires, now); !taken) {
    if (taken.error().code == Errc::exists) return {409, "the command was taken before"};
    if (taken.error().code == Errc::limit_exceeded) return {429, "too many commands within an hour"};
    return {500, "the command cannot be remembered, so it is not done: " + describe(taken.error())};
  }
  if (memory_.generation().empty()) {
    if (const auto kept = memory_.remember_origin(command.hub, command.generation); !kept) {
      return {500, "the hub cannot be remembered, so the command is not done: " + describe(kept.error())};
    }
  }
  const auto action = actions_.find(command.action);
  if (action == actions_.end()) return {404, "this agent has no action '" + command.action.substr(0, 64) + "'"};
  if (action->second.allowed != nullptr && !(parts_.settings.*action->second.allowed)) {
    return {403, "the local policy does not allow it: set " + std::string(action->second.setting) +
                     " = true in the settings of the agent"};
  }
  return {0, {}};
}

MethodAnswer Responder::on_method(const MethodCall& call) {
  ResponseCommand command;
  if (const Refusal refusal = verify(call, command); refusal.status != 0) return refuse(command, refusal);
  const auto arguments = parse_json(command.arguments);
  if (!arguments) return refuse(command, {400, "the arguments cannot be read"});
  const ActionResult done = actions_.find(command.action)->second.act(command, *arguments);
  report(command, done.status == 200 ? message::ResponseResult::Done : message::ResponseResult::Failed, done.message);
  if (done.status != 200) return {.status = done.status, .payload = error_json(done.message)};
  JsonWriter json;
  json.begin_object().key("id").value(command.id).key("message").value(done.message);
  std::string payload = json.end_object().take();
  if (!done.details.empty()) payload.insert(payload.size() - 1, "," + done.details);
  return {.status = 200, .payload = std::move(payload)};
}

MethodAnswer Responder::refuse(const ResponseCommand& command, const Refusal& refusal) {
  const Duration now = parts_.loop.clock().monotonic();
  if (now - window_start_ >= kRefusalWindow || refusals_ == 0) {
    window_start_ = now;
    refusals_ = 0;
  }
  if (++refusals_ > kRefusalsMax) {
    ++not_reported_;
  } else {
    std::string text = refusal.message;
    if (not_reported_ > 0) text += " (" + std::to_string(not_reported_) + " more were refused and not reported)";
    not_reported_ = 0;
    report(command, message::ResponseResult::Refused, text);
  }
  return {.status = refusal.status, .payload = error_json(refusal.message)};
}

void Responder::report(const ResponseCommand& command, message::ResponseResult result, const std::string& text) {
  parts_.log("response: " + (command.action.empty() ? std::string("command") : command.action) + ": " + text);
  const message::Response item{.command_id = command.id,
                               .action = command.action,
                               .arguments = std::string_view(command.arguments).substr(0, kReportedArgumentsMax),
                               .result = result,
                               .message = text,
                               .source = kOrigin.tier};
  JsonWriter json;
  message::append_payload(json, item);
  const std::string items = json.take();
  parts_.sink.emit(EventRecord{.time = moment_of(parts_.loop.clock()),
                               .origin = kOrigin,
                               .event = message::Response::kEvent,
                               .priority = Priority::urgent,
                               .items = items});
}

ActionResult Responder::rotate_key(const Json& arguments) {
  const auto member = arguments.find("key");
  const std::string pem = member ? member->text().value_or("") : "";
  if (pem.size() > kKeyBytesMax || !check_public_key(pem)) return {400, "key must be a public key on P-256 in PEM"};
  if (const auto kept = memory_.rotate_key(pem); !kept)
    return {500, "the key cannot be kept: " + describe(kept.error())};
  return {200, "the new key is in force; the old one is not taken any more"};
}

ActionResult Responder::release_locally() {
  const ActionResult done = isolation_.release();
  report({.action = "release"}, done.status == 200 ? message::ResponseResult::Done : message::ResponseResult::Failed,
         done.message + " (by root on the device)");
  return done;
}

}  // namespace picket::agent
