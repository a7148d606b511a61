// sshd: what sshd_config(5) and the files it includes come to. The first value counts; what a Match block sets counts
// too, since somebody can match it. Of MaxStartups some versions (9.2) take the last value instead: there every one
// counts.
#include "baseline/lines.h"
#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

constexpr int kIncludeDepthMax = 8;
constexpr std::size_t kWrongMax = 16;  ///< Values told.

class SshdReader {
 public:
  explicit SshdReader(Check& check)
      : check_(check), keys_(check.parameters.list("keys")), every_(check.parameters.text("order") == "every") {}

  /// `in_match`: the file is included within a Match block.
  void read(std::string_view path, int depth, bool in_match) {
    const Text text = check_.facts.text(path);
    if (text.found == Found::unreadable || text.found == Found::too_large) problem_ = unreadable(check_, path, text);
    any_ = any_ || text.found == Found::yes;
    if (depth >= kIncludeDepthMax) return;
    for_each_line(text.text, "#", [&](std::string_view line) {
      std::string_view rest = line;
      const std::string key = lower(take_word(rest, " \t="));
      if (key == "match") {
        in_match = !equal_ignoring_case(trim(rest), "all");
      } else if (key == "include") {
        while (!rest.empty()) {
          const std::string_view name = take_word(rest);
          const std::string full = join({name.starts_with('/') ? "" : "/etc/ssh/", name});
          for (const std::string& each : check_.facts.root().glob(full)) read(each, depth + 1, in_match);
        }
      } else {
        take(key, rest, in_match);
      }
      return true;
    });
  }

  std::optional<std::string> value;
  std::vector<std::string> wrong;  ///< Beside the first: how they are told.
  std::optional<State> problem_;
  bool any_ = false;

 private:
  void take(std::string_view key, std::string_view rest, bool in_match) {
    for (const std::string_view wanted : keys_) {
      if (!equal_ignoring_case(key, wanted)) continue;
      rest = trim(rest.substr(0, rest.find(" #")));
      if (rest.size() >= 2 && rest.front() == '"' && rest.back() == '"') rest = rest.substr(1, rest.size() - 2);
      if (!in_match && !value) {
        value = rest;
      } else if ((in_match || every_) && !complies(check_.parameters, rest) && wrong.size() < kWrongMax) {
        wrong.push_back(join({in_match ? "in a Match block: " : "later: ", rest}));
      }
    }
  }

  Check& check_;
  std::span<const std::string_view> keys_;
  bool every_;
};

}  // namespace

State check_sshd(Check& check) {
  SshdReader reader(check);
  reader.read("/etc/ssh/sshd_config", 0, false);
  if (reader.problem_) return *reader.problem_;
  if (!reader.any_) {
    observe(check.observed, "no sshd_config");
    return State::skip;
  }
  State state = judge(check, check.parameters.text("keys"), reader.value);
  for (const std::string& text : reader.wrong) {
    observe(check.observed, text);
    state = State::fail;
  }
  return state;
}

}  // namespace picket::agent::baseline
