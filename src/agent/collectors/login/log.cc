// Tier "log" of login: follows the authentication log.
#include "login/auth_line.h"
#include "login/login_assembler.h"
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
  LoginLog(const Environment& environment, FileWatch watch, TailFile file)
      : environment_(environment), watch_(std::move(watch)), poll_fd_(watch_.fd()), file_(std::move(file)) {}

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
        take(text.substr(taken, end - taken));
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
    for (std::uint32_t i = 0; i < parsed->times; ++i) {
      ++counters_.seen;
      ++counters_.delivered;
      environment_.sink.emit(record);
    }
  }

  Environment environment_;
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
  return std::make_unique<LoginLog>(environment, std::move(watch), std::move(file));
}

}  // namespace picket::agent
