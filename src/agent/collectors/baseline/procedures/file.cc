// file: type, mode, owner and group of files. exists: whether there is one of some paths.
#include <algorithm>
#include <charconv>

#include "baseline/lines.h"
#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

std::string mode_text(unsigned mode) {
  char out[8];
  const auto end = std::to_chars(out, out + sizeof out, mode & 07777U, 8).ptr;
  return join({"0", std::string_view(out, static_cast<std::size_t>(end - out))});
}

/// Whether `id` is that of one of `names`, or no name is asked for.
template <class IdOf>
bool is_one_of(std::uint32_t id, std::span<const std::string_view> names, IdOf id_of) {
  return names.empty() || std::ranges::any_of(names, [&](std::string_view name) { return id_of(name) == id; });
}

bool is_fine(Check& check, const struct stat& info) {
  const std::string_view kind = check.parameters.text("kind");
  if ((kind == "file" && !S_ISREG(info.st_mode)) || (kind == "folder" && !S_ISDIR(info.st_mode))) return false;
  if ((info.st_mode & check.parameters.number("mode_not").value_or(0)) != 0) return false;
  const auto needed = check.parameters.number("mode_all").value_or(0);
  if ((info.st_mode & needed) != needed) return false;
  Facts& facts = check.facts;
  return is_one_of(info.st_uid, check.parameters.list("owner"), [&](auto name) { return facts.user_id(name); }) &&
         is_one_of(info.st_gid, check.parameters.list("group"), [&](auto name) { return facts.group_id(name); });
}

}  // namespace

State check_file(Check& check) {
  State state = State::pass;
  std::size_t found = 0, wrong = 0;
  std::string good;
  for (const std::string_view pattern : check.parameters.list("paths")) {
    for (const std::string& path : check.facts.root().glob(pattern)) {
      struct stat info{};
      const Found result = check.facts.root().stat(path, info);
      if (result == Found::missing) continue;
      ++found;
      if (result != Found::yes) {
        observe(check.observed, path, " cannot be looked at");
        if (state == State::pass) state = State::error;
        continue;
      }
      const bool fine = is_fine(check, info);
      const std::string text =
          join({" ", mode_text(info.st_mode), " ", std::to_string(info.st_uid), ":", std::to_string(info.st_gid)});
      if (!fine) {
        state = State::fail;
        if (++wrong <= 3) observe(check.observed, path, text);
      } else if (found == 1) {
        good = join({path, text});
      }
    }
  }
  if (found == 0) {
    observe(check.observed, check.parameters.text("paths"), " is not there");
    return when_missing(check, State::fail);
  }
  if (wrong > 3) observe(check.observed, std::to_string(wrong - 3), " more");
  if (state == State::pass) observe(check.observed, good);
  return state;
}

State check_exists(Check& check) {
  for (const std::string_view pattern : check.parameters.list("paths")) {
    for (const std::string& path : check.facts.root().glob(pattern)) {
      struct stat info{};
      const Found result = check.facts.root().stat(path, info);
      if (result == Found::missing) continue;
      if (result == Found::yes && check.parameters.has("not_empty") && S_ISREG(info.st_mode) && info.st_size == 0) {
        observe(check.observed, path, " is empty");
        continue;
      }
      observe(check.observed, path, " is there");
      return State::pass;
    }
  }
  if (check.observed.empty()) observe(check.observed, check.parameters.text("paths"), " is not there");
  return State::fail;
}

}  // namespace picket::agent::baseline
