#include "command_line.h"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "output.h"

namespace picket::cli {
namespace {

/// Letters to change, put in, leave out or exchange with the next one.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      const bool exchanged = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (exchanged) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = std::exchange(last, row);
  }
  return last[b.size()];
}

/// "--limit N  rows at most (1 to 500; default 100)" in place of the library's "--limit UINT:INT in [1 - 500]=100".
class Help final : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_positional() || option->get_items_expected_max() == 0) return "";  // flags expect nothing
    std::string out = is_number(option) ? " N" : " VALUE";
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size) out += " ...";
    return out;
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    std::vector<std::string> facts;
    const std::string type = option->get_type_name();
    if (const auto from = type.find('['), to = type.find(']'); from < to && to != std::string::npos) {
      const std::string range = type.substr(from + 1, to - from - 1);
      if (const auto dash = range.find(" - "); dash != std::string::npos)
        facts.push_back(range.substr(0, dash) + " to " + range.substr(dash + 3));
    }
    if (!option->get_default_str().empty() && option->get_items_expected_max() != 0)
      facts.push_back("default " + option->get_default_str());
    if (!option->get_envname().empty()) facts.push_back("or the variable " + option->get_envname());
    if (!option->get_positional() && option->get_required()) facts.emplace_back("needed");
    for (const CLI::Option* other : option->get_excludes()) facts.push_back("not with " + other->get_name());
    for (const CLI::Option* other : option->get_needs()) facts.push_back("with " + other->get_name());
    const std::string& said = option->get_description();
    // What the description says already is not said twice.
    std::erase_if(facts, [&](const std::string& fact) { return said.find(fact) != std::string::npos; });
    if (facts.empty()) return said;
    return fmt::format("{}{}({})", said, said.empty() ? "" : " ", fmt::join(facts, "; "));
  }

 private:
  static bool is_number(const CLI::Option* option) {
    const std::string type = option->get_type_name();
    return type.starts_with("INT") || type.starts_with("UINT") || type.starts_with("FLOAT");
  }
};

/// The command that was asked for, as far as it was understood, and its name as one writes it.
struct Asked {
  const CLI::App* command;
  std::string name;
};

Asked asked_of(const CLI::App* app) {
  Asked out{app, app->get_name()};
  while (!out.command->get_subcommands().empty()) {
    out.command = out.command->get_subcommands().front();
    out.name += " " + out.command->get_name();
  }
  return out;
}

std::vector<const CLI::App*> commands_of(const CLI::App* app) {
  return app->get_subcommands([](const CLI::App* one) { return !one->get_name().empty(); });
}

std::vector<std::string> options_of(const CLI::App* app) {
  std::vector<std::string> out;
  for (const CLI::Option* option : app->get_options()) {
    if (option->nonpositional()) out.push_back(option->get_name());
  }
  return out;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string near = nearest(word, known);
  return near.empty() ? "" : fmt::format(" Did you mean '{}'?", near);
}

/// The command lacks one of its own, or was given one that it does not have.
std::string on_missing_command(const Asked& asked) {
  std::vector<std::string> names;
  std::string list;
  for (const CLI::App* one : commands_of(asked.command)) {
    names.push_back(one->get_name());
    list += fmt::format("  {:<20} {}\n", one->get_name(), one->get_description());
  }
  const auto words = asked.command->remaining();
  if (words.empty()) return fmt::format("{}: say what to do, one of\n{}", asked.name, list);
  const std::string& word = words.front();
  if (word.starts_with('-'))
    return fmt::format("{}: there is no option '{}' here; commands are\n{}", asked.name, word, list);
  return fmt::format("{}: there is no '{}'.{} There is\n{}", asked.name, word, did_you_mean(word, names), list);
}

std::string on_unknown_word(const Asked& asked, std::string_view word) {
  if (!word.starts_with('-')) return fmt::format("{}: '{}' is one word too many", asked.name, word);
  return fmt::format("{}: there is no option '{}'.{}", asked.name, word, did_you_mean(word, options_of(asked.command)));
}

std::string refusal(const CLI::App* app, const CLI::Error& error) {
  const Asked asked = asked_of(app);
  const auto kind = static_cast<CLI::ExitCodes>(error.get_exit_code());
  const bool command_missing = asked.command->get_require_subcommand_min() > 0 &&
                               (kind == CLI::ExitCodes::RequiredError || kind == CLI::ExitCodes::ExtrasError);
  std::string text;
  if (command_missing) {
    text = on_missing_command(asked);
  } else if (const auto words = asked.command->remaining(); kind == CLI::ExitCodes::ExtrasError && !words.empty()) {
    text = on_unknown_word(asked, words.front()) + "\n";
  } else {
    text = fmt::format("{}: {}\n", asked.name, error.what());
  }
  return printable_lines(fmt::format("{}More: {} --help\n", text, asked.name));
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string out;
  std::size_t least = 0;
  for (const std::string& one : known) {
    const std::size_t changes = !word.empty() && one.starts_with(word) ? 0 : distance(word, one);
    if (changes * 3 > std::max(word.size(), one.size())) continue;
    if (!out.empty() && changes >= least) continue;
    out = one;
    least = changes;
  }
  return out;
}

void give_manners(CLI::App& app) {
  const auto help = std::make_shared<Help>();
  help->column_width(32);
  help->label("Positionals", "Arguments");
  help->label("SUBCOMMAND", "COMMAND");
  std::vector<CLI::App*> all{&app};
  for (std::size_t i = 0; i < all.size(); ++i) {
    CLI::App* const one = all[i];
    one->formatter(help);
    if (one != &app) one->group("Commands");
    one->failure_message(refusal);
    for (CLI::App* below : one->get_subcommands([](const CLI::App*) { return true; })) all.push_back(below);
  }
}

}  // namespace picket::cli
