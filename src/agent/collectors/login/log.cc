// Tiers "log" and "pam-log" of login: follow the authentication log, or the one that PAM writes.
#include <sys/stat.h>

#include "login/auth_line.h"
#include "login/login_assembler.h"
#include "login/pam_line.h"
#include "login/tiers.h"
#include "support/file_watch.h"
#include "support/tail_file.h"

namespace picket::agent {
namespace {

constexpr std::size_t kReadBytesMax = 64 << 10;
constexpr std::size_t kLineBytesMax = 4096;
constexpr Duration kQuiet = Duration::minutes(1);

class LoginLog final : public Source {
 public:
  enum class Form : std::uint8_t { syslog, pam };

  LoginLog(const Environment& environment, Form form, FileWatch watch, TailFile file)
      : environment_(environment),
        form_(form),
        watch_(std::move(watch)),
        poll_fd_(watch_.fd()),
        file_(std::move(file)) {}

  std::span<const int> fds() const override { return {&poll_fd_, 1}; }
  Counters counters() const override { return counters_; }
  Duration on_ready(int) override {
    watch_.drain();
    return on_timer();
  }

  Duration on_timer() override {
    for (bool done = false; !done;) {
      done = file_.poll(kReadBytesMax, rest_);
      std::string_view text = as_text(rest_);
      std::size_t taken = 0;
      for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', taken)) {
        const auto line = text.substr(taken, end - taken);
        form_ == Form::pam ? take_pam(line) : take(line);
        taken = end + 1;
      }
      if (text.size() - taken > kLineBytesMax) {  // a line without end is none of sshd's
        taken = text.size();
        ++counters_.seen;
        ++counters_.dropped_user;
      }
      rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(taken));
    }
    return kQuiet;
  }

 private:
  void take(std::string_view line) {
    const auto parsed = parse_auth_line(line);
    if (!parsed) return;
    LoginRecord record{.kind = parsed->kind, .time = moment_of(environment_.clock), .origin = {"login", "log", false}};
    record.pid = parsed->pid;
    record.user = parsed->user;
    record.executable = parsed->program;
    record.terminal = parsed->terminal;
    record.operation = parsed->method;
    record.remote_host = parsed->address;
    record.remote = parse_address(parsed->address);
    record.remote_port = parsed->port;
    for (std::uint32_t i = 0; i < parsed->times; ++i) emit(record);
  }

  void take_pam(std::string_view line) {
    const auto parsed = parse_pam_line(line);
    if (!parsed) return;
    LoginRecord record{
        .kind = parsed->kind, .time = moment_of(environment_.clock), .origin = {"login", "pam-log", false}};
    record.time.wall = parsed->time;
    record.pid = parsed->pid;
    record.user = parsed->user;
    record.executable = parsed->service;
    record.terminal = parsed->terminal;
    record.operation = parsed->type;
    record.remote_host = parsed->remote_host;
    record.remote = parse_address(parsed->remote_host);
    record.session = parsed->session;
    if (parsed->by != parsed->user) record.by_user = parsed->by;
    emit(record);
  }

  void emit(const LoginRecord& record) {
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
  }

  Environment environment_;
  Form form_;
  FileWatch watch_;
  int poll_fd_;
  TailFile file_;
  Buffer rest_;
  Counters counters_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_login_log(const Environment& environment) {
  TRY(auto file, TailFile::open(environment.settings.auth_log));
  TRY(auto watch, FileWatch::open({file.path()}));
  return std::make_unique<LoginLog>(environment, LoginLog::Form::syslog, std::move(watch), std::move(file));
}

Result<std::unique_ptr<Source>> open_login_pam_log(const Environment& environment) {
  TRY(auto file, TailFile::open(environment.settings.pam_log));
  // Whoever can write it can make logins up.
  struct stat status{};
  if (stat(file.path().c_str(), &status) != 0) return fail_errno("agent.pam_log.stat");
  if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(Errc::denied, "agent.pam_log.writable_by_others");
  }
  TRY(auto watch, FileWatch::open({file.path()}));
  return std::make_unique<LoginLog>(environment, LoginLog::Form::pam, std::move(watch), std::move(file));
}

}  // namespace picket::agent
