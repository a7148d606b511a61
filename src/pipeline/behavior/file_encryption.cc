// Many files get another ending in a short time, or are written anew and the originals deleted: what ransomware does,
// whatever it is called.
#include <algorithm>
#include <array>

#include "behavior/behavior.h"
#include "behavior/distinct_window.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr DistinctWindow::Bounds kFiles{.window = Duration::seconds(60), .values_min = 20};
constexpr std::size_t kEntriesMax = 16'384;
constexpr std::size_t kEndingBytesMax = 24;
/// Endings under which programs keep copies as a matter of course.
constexpr std::array<std::string_view, 16> kEveryday{".tmp", ".bak", ".old", ".new",     ".swp", ".part",
                                                     ".gz",  ".xz",  ".zst", ".lock",    ".log", ".pyc",
                                                     ".o",   ".d",   ".1",   ".dpkg-new"};

/// What was added to a name: "a.txt" -> "a.txt.crypt" or "a.crypt" gives ".crypt".
std::string_view new_ending(std::string_view before, std::string_view after) {
  const auto name = file_name_of(after);
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  const auto ending = name.substr(dot);
  return file_name_of(before).ends_with(ending) || ending.size() > kEndingBytesMax ? std::string_view{} : ending;
}

class FileEncryption final : public RememberingEntries<Detector, DistinctWindow> {
 public:
  FileEncryption() : RememberingEntries("behavior.file_encryption", kEntriesMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    const auto details = event.details();
    const auto member = details ? details->find("OldPath") : std::nullopt;
    const std::string before = member ? member->text().value_or("") : "";
    if (event.text(Field::Mask) != "Moved" || before.empty()) return;
    const auto path = event.text(Field::Path);
    const auto ending = new_ending(before, path);
    if (ending.empty() || std::ranges::find(kEveryday, ending) != kEveryday.end()) return;
    const auto executable = event.text(Field::Executable);
    DistinctWindow& window = table_.touch(device_key(event, executable, ending));
    const TimeSpan span = span_of(event);
    window.last = event.enqueued;
    count_evicted(window.add(kFiles, path, span.first, span.last, event.evidence()));
    const auto fresh = window.report(kFiles);
    keep_bound();
    if (fresh.empty()) return;
    Finding finding{.alert_type = "IoT_Ransomware", .group_key = state_key(executable, ending)};
    add_sightings(finding, kFiles, fresh);
    finding.properties = {{"New Ending", std::string(ending)},
                          {"Files", std::to_string(window.values())},
                          {"Window", "60 s"},
                          {"Executable", std::string(executable)},
                          {"Last File", std::string(path)}};
    finding.entities = {{"file", {{"Name", std::string(file_name_of(path))}, {"Directory", std::string(path)}}}};
    findings.push_back(std::move(finding));
  }
  void forget(Timestamp now) override { forget_older(now - kFiles.window - kFiles.lateness); }
};

}  // namespace

std::unique_ptr<Detector> make_file_encryption() { return std::make_unique<FileEncryption>(); }

}  // namespace picket::pipeline
