// The direct method PicketRespond: verifies a command, asks the local policy, carries it out, reports what came of it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "action.h"
#include "agent/event_loop.h"
#include "agent/methods.h"
#include "agent/record.h"
#include "agent/response_settings.h"
#include "block.h"
#include "command.h"
#include "file_collection.h"
#include "isolation.h"
#include "memory.h"
#include "message/events.h"

namespace picket::agent {

/// What response needs of the running agent. All outlive the responder.
struct ResponderParts {
  EventLoop& loop;
  RecordSink& sink;
  const ResponseSettings& settings;
  std::string data_dir;
  std::function<std::string()> identity;       ///< "device" or "device/module" of the connection.
  std::function<Endpoint()> hub;               ///< Where the hub is connected to.
  std::function<bool(std::string_view)> scan;  ///< A collector's snapshot now. False: there is none of this name.
  std::function<void(std::string_view)> log;
};

/// One thread: the loop's.
class Responder {
 public:
  /// Refusals that are events: so many in kRefusalWindow, the rest is only counted (and said in the next one).
  static constexpr unsigned kRefusalsMax = 20;
  static constexpr Duration kRefusalWindow = Duration::minutes(10);

  explicit Responder(ResponderParts parts);
  ~Responder();
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  /// Before what it needs is given away: goes on with what a former run left.
  void start();
  /// The answer's payload is {"id","message", …} or {"error"}.
  MethodAnswer on_method(const MethodCall& call);
  /// Where the uplink goes now.
  void hub_at(const Endpoint& hub) { isolation_.hub_at(hub); }
  /// By root on this device.
  ActionResult release_locally();

 private:
  using Act = std::function<ActionResult(const ResponseCommand& command, const Json& arguments)>;
  struct Action {
    bool ResponseSettings::* allowed;  ///< nullptr: always.
    std::string_view setting;
    Act act;
  };
  void add_actions();
  Refusal verify(const MethodCall& call, ResponseCommand& command);
  MethodAnswer refuse(const ResponseCommand& command, const Refusal& refusal);
  void report(const ResponseCommand& command, message::ResponseResult result, const std::string& text);
  ActionResult rotate_key(const Json& arguments);

  ResponderParts parts_;
  ResponseMemory memory_;
  Isolation isolation_;
  FileCollection files_;
  Block block_;
  std::map<std::string, Action, std::less<>> actions_;
  Duration window_start_;
  unsigned refusals_ = 0;           ///< In this window.
  std::uint64_t not_reported_ = 0;  ///< Of them, beyond kRefusalsMax.
};

}  // namespace picket::agent
