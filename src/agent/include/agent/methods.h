// The direct methods that this agent answers (spec/hub.md, section 1.1).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent/uplink.h"

namespace picket::agent {

/// Adding a method is one add(). One thread: the loop's.
class MethodTable {
 public:
  using Handler = std::function<MethodAnswer(const MethodCall& call)>;

  void add(std::string name, Handler handler) { handlers_.insert_or_assign(std::move(name), std::move(handler)); }
  /// 404 for a method that nobody added.
  [[nodiscard]] MethodAnswer call(const MethodCall& call) const {
    const auto found = handlers_.find(call.name);
    if (found == handlers_.end()) return {.status = 404, .payload = R"({"error":"this agent has no such method"})"};
    return found->second(call);
  }

 private:
  std::map<std::string, Handler, std::less<>> handlers_;
};

}  // namespace picket::agent
