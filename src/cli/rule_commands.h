// `picket rule …`: Sigma rules of the server, and trying rules without one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "client.h"
#include "hub_options.h"

namespace CLI {
class App;
}

namespace picket::cli {

struct RuleListOptions {
  std::string text;    ///< Only rules whose title, id or alert contains it, without case.
  bool own = false;    ///< Only the program's.
  bool added = false;  ///< Only operators'.
  bool load = false;   ///< What each cost and matched, the dearest first.
};
Outcome<void> rule_list(const Client& client, const RuleListOptions& options, bool json);
Outcome<void> rule_explain(const Client& client, const std::string& id, bool json);
Outcome<void> rule_switch(const Client& client, const std::string& id, bool enabled);
/// Files, and folders with all .yml and .yaml below them. What cannot be used is told, the rest is imported.
Outcome<void> rule_import(const Client& client, const std::vector<std::string>& paths);
Outcome<void> rule_remove(const Client& client, const std::string& name);

/// Reads rules and runs them over the examples that stand beside them (examples.jsonl); no server is needed. Fails
/// when a rule cannot be used, or an example is judged otherwise than it says.
Outcome<void> rule_test(const std::vector<std::string>& paths);

/// `on_local` makes a command run without a server.
using OnLocal = std::function<void(CLI::App* command, std::function<Outcome<void>()> body)>;
void add_rules(CLI::App& app, const OnClient& on_client, const OnLocal& on_local, const bool& json);

}  // namespace picket::cli
