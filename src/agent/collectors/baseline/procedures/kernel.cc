// sysctl, kernel_module, kernel_argument: what the kernel was told, and whether it was written down.
#include <algorithm>

#include "baseline/lines.h"
#include "baseline/procedure.h"
#include "baseline/root.h"

namespace picket::agent::baseline {
namespace {

bool is_live(Check& check) { return check.facts.root().exists("/proc/sys/kernel/osrelease"); }

std::string one_line(std::string_view text) {
  std::string out;
  text = trim(text.substr(0, text.find('\n')));
  while (!text.empty()) {
    if (!out.empty()) out += ' ';
    out += take_word(text);
  }
  return out;
}

/// The files of modprobe in its order: by name, and of one name the one in the first of the folders.
std::vector<std::pair<std::string, std::string>> modprobe_files(Check& check) {
  std::vector<std::pair<std::string, std::string>> out;  // name, path
  for (const char* const folder :
       {"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"}) {
    for (const std::string& name : check.facts.root().list(folder)) {
      const bool hidden = std::ranges::any_of(out, [&](const auto& each) { return each.first == name; });
      if (!name.ends_with(".conf") || hidden) continue;
      out.emplace_back(name, join({folder, "/", name}));
    }
  }
  std::ranges::sort(out);
  return out;
}

/// A command that does nothing. What a shell would make of anything else is not guessed.
bool does_nothing(std::string_view command) {
  const std::string_view program = take_word(command);
  if (!trim(command).empty() && !trim(command).starts_with('#')) return false;
  for (const std::string_view folder : {"/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", ""}) {
    for (const std::string_view name : {"true", "false", "nologin"}) {
      if (program == join({folder, name})) return true;
    }
  }
  return false;
}

/// The first `install` that stands for the module decides, and does nothing.
bool is_refused(Check& check, std::string_view name) {
  std::optional<bool> out;
  for (const auto& [file, path] : modprobe_files(check)) {
    std::string text(check.facts.text(path).text);
    for (std::size_t at = 0; (at = text.find("\\\n", at)) != std::string::npos;) text.replace(at, 2, "  ");
    for_each_line(text, "#", [&](std::string_view line) {
      if (take_word(line) != "install") return true;
      std::string module(take_word(line));
      std::ranges::replace(module, '-', '_');
      if (matches_glob(module, name)) out = does_nothing(line);
      return !out.has_value();
    });
    if (out) return *out;
  }
  return false;
}

bool is_loaded(Check& check, std::string_view name) {
  bool out = false;
  for_each_line(check.facts.text("/proc/modules").text, "", [&](std::string_view line) {
    out = take_word(line) == name;
    return !out;
  });
  return out;
}

}  // namespace

State check_sysctl(Check& check) {
  const std::string_view key = check.parameters.text("key");
  std::string path = join({"/proc/sys/", key});
  std::ranges::replace(path.begin() + 10, path.end(), '.', '/');
  State state = State::pass;
  if (is_live(check)) {
    const Text text = check.facts.text(path);
    if (const auto problem = unreadable(check, path, text)) return *problem;
    if (text.found == Found::missing) {
      observe(check.observed, "the kernel has no ", key);
      return when_missing(check, State::skip);
    }
    const std::string value = one_line(text.text);
    observe(check.observed, key, " is ", value);
    state = pass_if(complies(check.parameters, value));
  }
  const auto written = check.facts.sysctl_written(key);
  // What is not written down may be otherwise after the next start.
  observe(check.observed, written ? "written down: " : "not written down in sysctl.conf or sysctl.d",
          written.value_or(""));
  const State kept = written ? pass_if(complies(check.parameters, *written)) : when_missing(check, State::fail);
  return kept == State::pass ? state : kept;
}

State check_kernel_module(Check& check) {
  std::string name(check.parameters.text("name"));
  std::ranges::replace(name, '-', '_');
  if (is_loaded(check, name)) {
    observe(check.observed, name, " is loaded");
    return State::fail;
  }
  const bool loadable = check.facts.modules().has(name);
  if (!loadable && check.facts.modules_built_in().has(name)) {
    observe(check.observed, name, " is built into the kernel");
    return State::fail;
  }
  if (is_refused(check, name)) {
    observe(check.observed, name, " is refused by modprobe");
    return State::pass;
  }
  observe(check.observed, name, loadable ? " can be loaded" : " is no module of this kernel");
  return loadable ? State::fail : State::skip;
}

State check_kernel_argument(Check& check) {
  const std::string_view name = check.parameters.text("name");
  const auto matches = [&](std::string_view line) {
    std::optional<std::string> value;
    while (!line.empty()) {
      const std::string_view word = take_word(line);
      if (word == name) value = "";
      if (word.starts_with(name) && word.substr(name.size()).starts_with('=')) value = word.substr(name.size() + 1);
    }
    return value;
  };
  if (const Text running = check.facts.text("/proc/cmdline"); running.found == Found::yes) {
    return judge(check, name, matches(one_line(running.text)));
  }
  // An image: every line that starts a kernel.
  State state = State::skip;
  for (const std::string_view pattern :
       {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/efi/EFI/*/grub.cfg", "/boot/loader/entries/*.conf",
        "/boot/extlinux/extlinux.conf", "/boot/cmdline.txt", "/boot/firmware/cmdline.txt"}) {
    for (const std::string& path : check.facts.root().glob(pattern)) {
      for_each_line(check.facts.text(path).text, "#", [&](std::string_view line) {
        const bool plain = path.ends_with("cmdline.txt");
        std::string_view rest = line;
        const std::string first = lower(take_word(rest));
        if (!plain && first != "linux" && first != "linuxefi" && first != "options" && first != "append") return true;
        if (line.contains("recovery") || line.contains(" single")) return true;
        const State one = judge(check, name, matches(line));
        if (state != State::fail) state = one;
        return true;
      });
    }
  }
  if (state == State::skip && check.observed.empty()) observe(check.observed, "no boot loader's configuration");
  return state;
}

}  // namespace picket::agent::baseline
