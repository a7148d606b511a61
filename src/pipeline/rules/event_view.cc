#include "rules/event_view.h"

#include <algorithm>

namespace picket::pipeline {
namespace {

using message::EventKind;
using message::Field;
using sigma::LogSource;

LogSource linux_source(std::string category, std::string service = "") {
  return {std::move(category), "linux", std::move(service)};
}

/// Views of a process' start, in this order.
enum ProcessView : std::uint8_t { kCreation, kExecve, kSyscall };
/// Views of a change of a file; the category goes by what happened.
enum FileView : std::uint8_t { kFileEvent, kFileCreate, kFileChange, kFileDelete, kFileRename, kFileAccess, kPath };
enum LoginView : std::uint8_t { kLogin, kSshd, kAuth };

/// An address, a port and a name say who a socket belongs to; its value says it as a rule would.
sigma::Value value_of(const message::Value& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return sigma::Value::of(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return sigma::Value::of(*number);
  if (const auto* real = std::get_if<double>(&value)) return sigma::Value::of(*real);
  if (const auto* truth = std::get_if<bool>(&value)) return sigma::Value::truth(*truth);
  return sigma::Value::of(std::get<Timestamp>(value).us);
}

FileView view_of(std::string_view mask) {
  if (mask == "Created") return kFileCreate;
  if (mask == "Deleted") return kFileDelete;
  if (mask == "Moved") return kFileRename;
  if (mask == "Modified" || mask == "MetadataChanged") return kFileChange;
  return kFileAccess;
}

/// As sshd writes it to the log.
std::string sshd_line(const DetectorEvent& event) {
  const auto text = [&](Field field) { return std::string(event.text(field)); };
  const bool failed = text(Field::Result).starts_with("Fail");
  const std::string method = text(Field::Method).empty() ? "password" : text(Field::Method);
  return (failed ? "Failed " : "Accepted ") + method + " for " + text(Field::UserName) + " from " +
         text(Field::RemoteAddress) + " port " + text(Field::RemotePort) + " ssh2";
}

}  // namespace

std::vector<LogSource> EventViews::sources(EventKind kind) {
  switch (kind) {
    case EventKind::ProcessCreate:
      return {linux_source("process_creation"), linux_source("", "auditd"), linux_source("", "auditd")};
    case EventKind::ProcessTerminate:
      return {linux_source("process_termination")};
    case EventKind::ConnectionCreate:
      return {linux_source("network_connection")};
    case EventKind::ListeningPorts:
      return {linux_source("listening_port")};
    case EventKind::Dns:
      return {linux_source("dns"), linux_source("dns_query")};
    case EventKind::FirewallConfiguration:
      return {linux_source("firewall_rule")};
    case EventKind::Login:
      return {linux_source("login"), linux_source("", "sshd"), linux_source("", "auth")};
    case EventKind::LocalUsers:
      return {linux_source("local_user")};
    case EventKind::FileSystem:
      return {linux_source("file_event"),  linux_source("file_create"), linux_source("file_change"),
              linux_source("file_delete"), linux_source("file_rename"), linux_source("file_access"),
              linux_source("", "auditd")};
    case EventKind::Peripheral:
      return {linux_source("peripheral")};
    default:
      return {};
  }
}

EventViews::EventViews(const sigma::RuleSet& rules, sigma::Matcher& matcher) {
  const auto has_rules = [&](std::string_view service) {
    return std::ranges::any_of(rules.rules(), [&](const auto& rule) { return rule.source.service == service; });
  };
  auditd_ = has_rules("auditd");
  sshd_ = has_rules("sshd");
  auth_ = has_rules("auth");
  record_ = {.type = rules.field("type"),
             .exe = rules.field("exe"),
             .comm = rules.field("comm"),
             .pid = rules.field("pid"),
             .ppid = rules.field("ppid"),
             .euid = rules.field("euid"),
             .uid = rules.field("uid"),
             .syscall_name = rules.field("SYSCALL"),
             .syscall = rules.field("syscall"),
             .success = rules.field("success"),
             .name = rules.field("name"),
             .nametype = rules.field("nametype"),
             .message = rules.field("message"),
             .change = rules.field("Change"),
             .arguments = {}};
  for (std::size_t i = 0; i < record_.arguments.size(); ++i) {
    record_.arguments[i] = rules.field("a" + std::to_string(i));
  }
  for (const message::EventInfo& event : message::all_events()) {
    Plan& plan = plans_[static_cast<std::size_t>(event.kind)];
    for (const LogSource& source : sources(event.kind)) plan.routes.push_back(matcher.route(source));
    if (plan.routes.empty()) continue;
    plan.names.resize(message::all_fields().size());
    for (const message::KeyInfo& key : event.keys) {
      if (!key.field) continue;
      Names& names = plan.names[static_cast<std::size_t>(*key.field)];
      names.own = rules.field(key.name);
      if (!key.sigma.empty() && key.sigma != key.name) names.sigma = rules.field(key.sigma);
      names.renames = key.sigma_values;
    }
  }
}

std::string_view EventViews::keep(std::string text) { return texts_.emplace_back(std::move(text)); }

void EventViews::put_promoted(const Plan& plan, const DetectorEvent& event) {
  for (const message::FieldValue& value : event.item.fields) {
    const Names& names = plan.names[static_cast<std::size_t>(value.field)];
    const sigma::Value own = value_of(value.value);
    // Keywords look at values whose names no rule knows, too.
    if (names.own != sigma::kUnnamedField || names.sigma == sigma::kUnnamedField) fields_.push_back({names.own, own});
    if (names.sigma == sigma::kUnnamedField) continue;
    const auto renamed = std::ranges::find(names.renames, own.text, &message::SigmaValue::event);
    const bool other = own.kind == sigma::Value::Kind::text && renamed != names.renames.end();
    fields_.push_back({names.sigma, other ? sigma::Value::of(renamed->sigma) : own});
  }
}

void EventViews::see_process(const Plan& plan, const DetectorEvent& event, const Each& each) {
  put_promoted(plan, event);
  each(plan.routes[kCreation], fields_);
  // A rule that names no service has seen the event by now.
  if (!auditd_) return;
  const auto common = [&](std::string_view type) {
    fields_.clear();
    put(record_.type, type);
    put(record_.exe, event.text(Field::Executable));
    put(record_.comm, event.text(Field::ProcessName));
    put(record_.pid, event.integer(Field::ProcessId, 0));
    put(record_.ppid, event.integer(Field::ParentProcessId, 0));
    put(record_.euid, event.text(Field::UserId));
    put(record_.uid, event.text(Field::UserId));
  };
  common("EXECVE");
  // Arguments are joined with single spaces on the wire: one that holds a space is seen as two.
  std::string_view rest = event.text(Field::CommandLine);
  for (std::size_t i = 0; i < record_.arguments.size() && !rest.empty(); ++i) {
    const auto end = std::min(rest.find(' '), rest.size());
    put(record_.arguments[i], rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
  each(plan.routes[kExecve], fields_);
  common("SYSCALL");
  put(record_.syscall_name, "execve");
  put(record_.syscall, "execve");
  put(record_.success, "yes");
  each(plan.routes[kSyscall], fields_);
}

void EventViews::see_file(const Plan& plan, const DetectorEvent& event, const Each& each) {
  put_promoted(plan, event);
  const FileView view = view_of(event.text(Field::Mask));
  // file_event is Sigma's word for a file that appears or is written anew.
  if (view == kFileCreate || view == kFileChange || view == kFileRename) each(plan.routes[kFileEvent], fields_);
  each(plan.routes[view], fields_);
  if (!auditd_) return;
  fields_.clear();
  put(record_.type, "PATH");
  put(record_.name, event.text(Field::Path));
  put(record_.nametype, view == kFileCreate ? "CREATE" : view == kFileDelete ? "DELETE" : "NORMAL");
  put(record_.exe, event.text(Field::Executable));
  each(plan.routes[kPath], fields_);
}

void EventViews::see_login(const Plan& plan, const DetectorEvent& event, const Each& each) {
  put_promoted(plan, event);
  each(plan.routes[kLogin], fields_);
  if (event.text(Field::Executable).find("sshd") == std::string_view::npos) {
    if (auth_) each(plan.routes[kAuth], fields_);
    return;
  }
  if (!sshd_) return;
  put(record_.message, keep(sshd_line(event)));
  each(plan.routes[kSshd], fields_);
}

/// Snapshots say in ExtraDetails what changed.
void EventViews::see_snapshot(const Plan& plan, const DetectorEvent& event, const Each& each) {
  put_promoted(plan, event);
  const auto details = event.details();
  const auto extra = details ? details->find("ExtraDetails") : std::nullopt;
  const auto change = extra ? extra->find("Change") : std::nullopt;
  if (change) put(record_.change, keep(change->text().value_or("")));
  each(plan.routes[0], fields_);
}

void EventViews::see(const DetectorEvent& event, const Each& each) {
  const Plan& plan = plans_[static_cast<std::size_t>(event.event.kind)];
  if (plan.routes.empty()) return;
  fields_.clear();
  texts_.clear();
  switch (event.event.kind) {
    case EventKind::ProcessCreate:
      return see_process(plan, event, each);
    case EventKind::FileSystem:
      return see_file(plan, event, each);
    case EventKind::Login:
      return see_login(plan, event, each);
    case EventKind::ListeningPorts:
    case EventKind::LocalUsers:
    case EventKind::FirewallConfiguration:
      return see_snapshot(plan, event, each);
    default:
      put_promoted(plan, event);
      for (const sigma::RouteId route : plan.routes) each(route, fields_);
  }
}

}  // namespace picket::pipeline
