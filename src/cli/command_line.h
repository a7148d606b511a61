// How the program speaks about its own commands: help, and what it says to a command that it does not know.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace picket::cli {

/// Gives `app` and all its commands one form of help and of refusals, which name the command, what was not understood,
/// what is nearest to it and what there is. Call it when all commands are there, before parsing.
void give_manners(CLI::App& app);

/// What a person who wrote `word` may have meant: the one of `known` that takes the fewest changes, at most a third of
/// the letters; empty: none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace picket::cli
