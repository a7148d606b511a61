#include "process_tree.h"

#include <algorithm>

#include "detector.h"

namespace picket::pipeline {
namespace {

using message::EventKind;
using message::Field;

std::string key_of(const Identity& device, std::int64_t pid) {
  return state_key(device.hub, device.device_id, device.generation_id, std::to_string(pid));
}

}  // namespace

void KnownProcess::encode(ByteWriter& out) const {
  put_text(out, executable);
  put_text(out, user_id);
  out.le(static_cast<std::uint64_t>(parent));
  put_time(out, time);
  put_time(out, last);
}

Result<KnownProcess> KnownProcess::decode(Cursor& in) {
  KnownProcess out;
  TRY(out.executable, get_text(in));
  TRY(out.user_id, get_text(in));
  TRY(const auto parent, in.le<std::uint64_t>());
  out.parent = static_cast<std::int64_t>(parent);
  TRY(out.time, get_time(in));
  TRY(out.last, get_time(in));
  return out;
}

void ProcessTree::see(const DetectorEvent& event) {
  if (event.event.kind != EventKind::ProcessCreate) return;
  const std::int64_t pid = event.integer(Field::ProcessId, 0);
  if (pid <= 1) return;
  const std::string key = key_of(event.device, pid);
  const KnownProcess* known = processes_.find(key);
  // A record that was late does not undo a newer one.
  if (known != nullptr && known->time > event.time) return;
  processes_.touch(key) = {std::string(event.text(Field::Executable)), std::string(event.text(Field::UserId)),
                           event.integer(Field::ParentProcessId, 0), event.time, event.enqueued};
  evicted_ += evict_oldest(processes_, kProcessesKnownMax);
}

void ProcessTree::forget(Timestamp now) {
  processes_.erase_if(
      [&](const std::string&, const KnownProcess& process) { return process.last < now - kProcessKnown; });
}

const KnownProcess* ProcessTree::find(const Identity& device, std::int64_t pid, Timestamp time) const {
  if (pid <= 1) return nullptr;
  const KnownProcess* known = processes_.find(key_of(device, pid));
  return known == nullptr || known->time > time ? nullptr : known;
}

void ProcessTree::add_from(const Identity& device, std::int64_t pid, Timestamp time,
                           std::vector<std::string>& out) const {
  while (out.size() < kAncestorsMax) {
    const KnownProcess* known = find(device, pid, time);
    if (known == nullptr) return;
    out.push_back(known->executable);
    if (known->parent == pid) return;
    pid = known->parent;
    time = known->time;
  }
}

std::vector<std::string> ProcessTree::ancestors(const DetectorEvent& event) const {
  std::vector<std::string> out;
  const std::int64_t parent = event.integer(Field::ParentProcessId, 0);
  const auto told = event.text(Field::ParentExecutable);
  const KnownProcess* known = find(event.device, parent, event.time);
  if (!told.empty() && (known == nullptr || known->executable != told)) {
    // The event knows better what its parent was: that one may have become another program since.
    out.emplace_back(told);
    if (known != nullptr) add_from(event.device, known->parent, known->time, out);
    return out;
  }
  add_from(event.device, parent, event.time, out);
  return out;
}

std::vector<std::string> ProcessTree::lineage(const DetectorEvent& event) const {
  std::vector<std::string> out;
  const auto executable = event.text(Field::Executable);
  if (!executable.empty()) out.emplace_back(executable);
  const KnownProcess* known = find(event.device, event.integer(Field::ProcessId, 0), event.time);
  if (known == nullptr) return out;
  if (out.empty()) out.push_back(known->executable);
  add_from(event.device, known->parent, known->time, out);
  return out;
}

}  // namespace picket::pipeline
