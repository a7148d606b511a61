// sysctl, kernel_module, kernel_argument: what the kernel was told, and whether it was written down.
#include <algorithm>

#include "baseline/lines.h"
#include "baseline/procedure.h"

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

/// `install NAME` that does nothing in the files of modprobe.
bool is_refused(Check& check, std::string_view name) {
  bool out = false;
  for (const char* const folder :
       {"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"}) {
    for (const std::string& file : check.facts.root().list(folder)) {
      if (!file.ends_with(".conf")) continue;
      for_each_line(check.facts.text(join({folder, "/", file})).text, "#", [&](std::string_view line) {
        if (take_word(line) != "install") return true;
        std::string module(take_word(line));
        std::ranges::replace(module, '-', '_');
        const std::string_view program = line.substr(line.rfind('/') + 1);
        out = out || (module == name && (program == "true" || program == "false" || program == "nologin"));
        return !out;
      });
    }
  }
  return out;
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
