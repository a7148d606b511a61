// root_path: the folders in which root looks for programs. Shells make PATH by running scripts, which is not done here:
// what counts is every PATH that is written down where a log-in of root begins.
#include <algorithm>

#include "baseline/lines.h"
#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

constexpr std::size_t kFoldersMax = 64;

/// The value behind PATH= in a line of environment(5) or of a shell; nullopt: it sets no PATH.
std::optional<std::string_view> path_of(std::string_view line) {
  if (line.starts_with("export ")) line = trim(line.substr(7));
  if (!line.starts_with("PATH=")) return std::nullopt;
  line.remove_prefix(5);
  if (line.starts_with('"') || line.starts_with('\'')) {
    const char quote = line.front();
    line.remove_prefix(1);
    return line.substr(0, line.find(quote));
  }
  return line.substr(0, line.find_first_of(" \t;&"));
}

class Judge {
 public:
  explicit Judge(Check& check) : check_(check) {}

  void file(std::string_view path, std::string_view key) {
    const Text text = check_.facts.text(path);
    if (text.found == Found::unreadable || text.found == Found::too_large) problem = unreadable(check_, path, text);
    for_each_line(text.text, "#", [&](std::string_view line) {
      if (!key.empty()) {
        if (take_word(line) != key) return true;
        if (!line.starts_with("PATH=")) line = {};
      }
      if (const auto value = path_of(trim(line))) folders(path, *value);
      return true;
    });
  }

  bool any = false, fine = true;
  std::optional<State> problem;

 private:
  void folders(std::string_view path, std::string_view value) {
    any = true;
    for (bool more = true; more;) {
      const auto colon = value.find(':');
      more = colon != std::string_view::npos;
      one(path, value.substr(0, colon));
      value.remove_prefix(more ? colon + 1 : value.size());
    }
  }
  void one(std::string_view path, std::string_view folder) {
    if (folder.starts_with('$') || folder.starts_with('~') || folder.contains("$(") || ++count_ > kFoldersMax) return;
    struct stat info{};
    if (folder.empty() || folder == ".") {
      wrong(path, " looks in the folder where one stands", "");
    } else if (!folder.starts_with('/')) {
      wrong(path, " names the relative folder ", folder);
    } else if (check_.facts.root().stat(folder, info) == Found::yes) {
      if (!S_ISDIR(info.st_mode)) return;
      if (info.st_uid != 0) wrong(folder, " is not root's", "");
      if ((info.st_mode & 0022U) != 0) wrong(folder, " can be written by others", "");
    }
  }
  void wrong(std::string_view first, std::string_view second, std::string_view third) {
    fine = false;
    observe(check_.observed, first, second, third);
  }

  Check& check_;
  std::size_t count_ = 0;
};

}  // namespace

State check_root_path(Check& check) {
  Judge judge(check);
  judge.file("/etc/login.defs", "ENV_SUPATH");
  for (const char* const path : {"/etc/environment", "/root/.profile", "/root/.bash_profile", "/root/.bash_login",
                                 "/root/.bashrc", "/root/.zshenv", "/root/.zprofile"}) {
    judge.file(path, "");
  }
  if (!judge.fine) return State::fail;
  if (judge.problem) return *judge.problem;
  observe(check.observed, judge.any ? "every folder is root's alone" : "no PATH is written down");
  return judge.any ? State::pass : State::skip;
}

}  // namespace picket::agent::baseline
