// What bots do on a device, step by step: fetch a program into a folder that everybody can write to, make it
// executable, run it, wipe it. Each step alone is everyday work; together and so soon after each other they are not.
#include <array>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "behavior/process_rule.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::EventKind;
using message::Field;

constexpr Duration kChain = Duration::seconds(120);  ///< spec: threat catalogue, Mirai-family infection.
constexpr Duration kLateness = Duration::hours(1);
constexpr std::size_t kChainsMax = 32'768;

enum Step : std::uint8_t { kFetched, kMadeExecutable, kRun, kWiped, kSteps };
constexpr std::array<std::string_view, kSteps> kStepNames{"fetched", "made executable", "run", "wiped"};

constexpr std::array<std::string_view, 9> kWritable{
    "/tmp/", "/var/tmp/", "/dev/shm/", "/run/", "/var/run/", "/var/lock/", "/dev/", "/mnt/", "/var/volatile/"};
constexpr std::array<std::string_view, 6> kFetchers{"wget", "curl", "tftp", "ftpget", "ftp", "fetch"};

bool in_writable(std::string_view path) {
  return std::ranges::any_of(kWritable, [&](std::string_view folder) { return path.starts_with(folder); });
}

/// Times at which the steps were seen for one file name on one device.
struct Chain {
  std::array<std::vector<Timestamp>, kSteps> seen;
  bool reported = false;
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.seen[0], self.seen[1], self.seen[2], self.seen[3], self.reported, self.last);
  }
};

/// The words of a command line; quotes are left as they are.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  while (!line.empty() && out.size() < 64) {
    const auto begin = line.find_first_not_of(" \t\n;&|");
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const auto end = std::min(line.find_first_of(" \t\n;&|"), line.size());
    out.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return out;
}

class BotChain final : public RememberingDetector<Chain> {
 public:
  BotChain() : RememberingDetector("behavior.bot_chain", kChainsMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override { forget_older(now - kChain - kLateness); }

 private:
  void step(Step step, std::string_view file, const DetectorEvent& event, std::vector<Finding>& findings);
};

/// Whether all but at most one of the steps lie within one window; running it must be among them.
std::size_t steps_together(const Chain& chain) {
  std::size_t best = 0;
  for (const auto& starts : chain.seen) {
    for (const Timestamp start : starts) {
      std::size_t count = 0;
      bool run = false;
      for (std::size_t i = 0; i < kSteps; ++i) {
        const bool inside =
            std::ranges::any_of(chain.seen[i], [&](Timestamp time) { return time >= start && time - start <= kChain; });
        count += inside ? 1 : 0;
        run = run || (inside && i == kRun);
      }
      if (run) best = std::max(best, count);
    }
  }
  return best;
}

void BotChain::step(Step step, std::string_view file, const DetectorEvent& event, std::vector<Finding>& findings) {
  if (file.size() > 96 || file.empty() || file == "." || file == "..") return;
  Chain& chain = table_.touch(device_key(event, file));
  chain.last = event.enqueued;
  auto& times = chain.seen[step];
  if (std::ranges::find(times, event.time) == times.end()) times.push_back(event.time);
  if (times.size() > 4) times.erase(times.begin());
  const std::size_t together = steps_together(chain);
  if (together < 3) return;
  Finding finding{.alert_type = "IoT_CommonBots", .group_key = state_key("chain", file)};
  finding.start = event.time - kChain;
  finding.end = event.time;
  for (std::size_t i = 0; i < kSteps; ++i) {
    for (const Timestamp time : chain.seen[i]) {
      if (time >= finding.start - kChain && time < finding.start) finding.start = time;
    }
  }
  finding.evidence.push_back(event.evidence());
  std::vector<std::string_view> told;
  for (std::size_t i = 0; i < kSteps; ++i) {
    if (!chain.seen[i].empty()) told.push_back(kStepNames[i]);
  }
  finding.properties = {{"File", std::string(file)},
                        {"Steps", joined(told)},
                        {"Window", "120 s"},
                        {"CommandLine", std::string(event.text(Field::CommandLine))},
                        {"Executable", std::string(event.text(Field::Executable))}};
  finding.severity = "High";
  findings.push_back(std::move(finding));
}

void BotChain::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  const auto executable = event.text(Field::Executable);
  const auto directory = event.text(Field::CurrentDirectory);
  const bool here = in_writable(std::string(directory) + "/");
  if (event.event.kind == EventKind::FileSystem) {
    const auto path = event.text(Field::Path);
    if (event.text(Field::Mask) == "Deleted" && in_writable(path)) step(kWiped, file_name_of(path), event, findings);
    return keep_bound();
  }
  const auto words = words_of(event.text(Field::CommandLine));
  if (words.empty()) return;
  // An applet of busybox is told by its first argument.
  std::size_t first = file_name_of(words[0]) == "busybox" && words.size() > 1 ? 1 : 0;
  const auto program = file_name_of(words[first]);
  const auto touched = [&](Step what) {
    for (std::size_t i = first + 1; i < words.size(); ++i) {
      std::string_view word = words[i];
      if (word.starts_with("-") || (!word.starts_with("/") && !here)) continue;
      if (word.starts_with("/") && !in_writable(word)) continue;
      step(what, file_name_of(word), event, findings);
    }
  };
  if (std::ranges::find(kFetchers, program) != kFetchers.end()) {
    for (std::size_t i = first + 1; i < words.size(); ++i) {
      const bool address = words[i].find("://") != std::string_view::npos;
      if (address ? here : in_writable(words[i]) || (here && !words[i].starts_with("-"))) {
        step(kFetched, file_name_of(words[i].substr(0, words[i].find('?'))), event, findings);
      }
    }
  } else if (program == "chmod") {
    touched(kMadeExecutable);
  } else if (program == "rm" || program == "unlink") {
    touched(kWiped);
  } else if (in_writable(executable)) {
    std::string_view name = file_name_of(executable);
    const bool gone = name.ends_with(" (deleted)");
    if (gone) name.remove_suffix(10);
    step(kRun, name, event, findings);
    if (gone) step(kWiped, name, event, findings);
  }
  keep_bound();
}

}  // namespace

std::unique_ptr<Detector> make_bot_chain() { return std::make_unique<BotChain>(); }

}  // namespace picket::pipeline
