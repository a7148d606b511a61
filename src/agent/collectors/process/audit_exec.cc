#include "process/audit_exec.h"

#include <algorithm>
#include <charconv>

#include "support/audit_record.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

std::string bounded(std::string text) {
  if (text.size() > AuditExecAssembler::kTextBytesMax) text.resize(AuditExecAssembler::kTextBytesMax);
  return text;
}

}  // namespace

void AuditExecAssembler::take(std::uint16_t type, std::string_view text, Duration now) {
  const auto stamp = take_audit_stamp(text);
  if (!stamp) return;
  switch (static_cast<AuditExecType>(type)) {
    case AuditExecType::execve:
      take_arguments(open(stamp->serial, now), text);
      return;
    case AuditExecType::syscall: {
      // Most system calls that others have rules for are no execs: what follows the first record tells.
      Open& event = open(stamp->serial, now);
      event.exec.time = stamp->time;
      take_syscall(event, text);
      return;
    }
    case AuditExecType::cwd:
      if (Open* event = find(stamp->serial)) {
        std::string_view key, value;
        while (take_audit_field(text, key, value)) {
          if (key == "cwd") event->exec.cwd = bounded(audit_text(value));
        }
      }
      return;
    case AuditExecType::end:
      if (Open* event = find(stamp->serial)) {
        finish(*event);
        std::erase_if(open_, [&](const Open& each) { return each.serial == stamp->serial; });
      }
      return;
  }
}

bool AuditExecAssembler::tick(Duration now) {
  while (!open_.empty() && now - open_.front().since >= kOpenFor) {
    ++unfinished_;
    finish(open_.front());
    open_.erase(open_.begin());
  }
  return !open_.empty();
}

AuditExecAssembler::Open* AuditExecAssembler::find(std::uint64_t serial) {
  // From the back: a record mostly belongs to the newest event.
  const auto at = std::find_if(open_.rbegin(), open_.rend(), [&](const Open& event) { return event.serial == serial; });
  return at == open_.rend() ? nullptr : &*at;
}

AuditExecAssembler::Open& AuditExecAssembler::open(std::uint64_t serial, Duration now) {
  if (Open* known = find(serial)) return *known;
  if (open_.size() == kOpenMax) {
    ++unfinished_;
    finish(open_.front());
    open_.erase(open_.begin());
  }
  return open_.emplace_back(Open{.serial = serial, .since = now, .exec = {}, .hash = {}});
}

void AuditExecAssembler::finish(Open& event) {
  if (!event.succeeded || !event.has_argv) return;
  end_argument(event);
  event.exec.argv_lost = event.exec.argv_lost || event.next_argument != event.argument_count;
  event.exec.argv_hash = event.hash.value();
  emit_(event.exec);
}

void AuditExecAssembler::take_syscall(Open& event, std::string_view text) {
  std::string_view key, value;
  AuditExec& exec = event.exec;
  while (take_audit_field(text, key, value)) {
    if (key == "success") event.succeeded = value == "yes";
    if (key == "pid") exec.pid = audit_number(value).value_or(0);
    if (key == "ppid") exec.ppid = audit_number(value).value_or(0);
    if (key == "uid") exec.uid = audit_number(value).value_or(0);
    if (key == "euid") exec.euid = audit_number(value).value_or(0);
    if (key == "gid") exec.gid = audit_number(value).value_or(0);
    if (key == "ses") exec.session = audit_number(value).value_or(0);
    if (key == "tty") exec.terminal = value == "(none)" ? std::string() : bounded(std::string(value));
    if (key == "exe") exec.executable = bounded(audit_text(value));
  }
}

// argc=3 a0="ls" a1=2D6C a2_len=9000 a2[0]="…" a2[1]="…", over as many records as it takes.
void AuditExecAssembler::take_arguments(Open& event, std::string_view text) {
  event.has_argv = true;
  std::string_view key, value;
  while (take_audit_field(text, key, value)) {
    if (key == "argc")
      event.argument_count = audit_number(value).value_or(0);
    else if (key.starts_with('a'))
      take_argument(event, key.substr(1), value);
  }
}

void AuditExecAssembler::take_argument(Open& event, std::string_view key, std::string_view value) {
  std::uint32_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (error != std::errc{}) return;
  const auto what = key.substr(static_cast<std::size_t>(end - key.data()));
  if (what.starts_with('[')) {  // a piece of the argument whose length came before
    if (!event.in_pieces || index + 1 != event.next_argument) event.exec.argv_lost = true;
    const std::uint64_t written =
        value.starts_with('"') ? value.size() - std::min<std::size_t>(value.size(), 2) : value.size();
    event.piece_text_left -= std::min(event.piece_text_left, written);
    return add(event, audit_text(value));
  }
  end_argument(event);
  if (index != event.next_argument) event.exec.argv_lost = true;
  event.next_argument = index + 1;
  if (what.empty()) {
    add(event, audit_text(value));
    return add(event, std::string_view("\0", 1));
  }
  if (what != "_len") return;
  event.in_pieces = true;
  event.piece_text_left = audit_number(value).value_or(0);
}

void AuditExecAssembler::add(Open& event, std::string_view bytes) {
  event.hash.add(bytes);
  event.exec.argv_bytes += bytes.size();
  const std::size_t room = kArgvBytesMax - std::min(kArgvBytesMax, event.exec.argv.size());
  event.exec.argv += bytes.substr(0, room);
}

void AuditExecAssembler::end_argument(Open& event) {
  if (!event.in_pieces) return;
  event.in_pieces = false;
  if (event.piece_text_left != 0) event.exec.argv_lost = true;
  add(event, std::string_view("\0", 1));
}

}  // namespace picket::agent
