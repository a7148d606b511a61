#include "client_commands.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include <unistd.h>

#include "agent/control.h"
#include "agent/runtime.h"
#include "base/core/json_reader.h"
#include "base/core/random.h"

namespace picket::agent {
namespace {

/// The running agent answers at the time limit itself; this is for the way there and back.
constexpr Duration kAnswerGrace = Duration::seconds(5);

/// Why the running agent did not answer, and what to do.
int not_answered(const Config& config, const Error& error) {
  if (error.code == Errc::denied) {
    print(STDERR_FILENO, "picket-agent: " + config.socket_path() + " belongs to another user; try as root\n");
    return exit_with(Outcome::denied);
  }
  print(STDERR_FILENO, "picket-agent: no running agent at " + config.socket_path() + " (" + describe(error) +
                           "); is it started, is --data right?\n");
  return exit_with(Outcome::unreachable);
}

int show_answer(const Config& config, std::string_view request, bool line_end) {
  const auto answer = ask_agent(config.socket_path(), request, Duration::seconds(5));
  if (!answer) return not_answered(config, answer.error());
  print(STDOUT_FILENO, line_end ? *answer + "\n" : *answer);
  return exit_with(Outcome::done);
}

/// "2026-11-22T04:20:01Z urgent ProcessCreate {…}": an event for people. What is no event is shown as it stands.
std::string event_line(std::string_view line) {
  const auto json = parse_json(line);
  if (!json) return std::string(line);
  if (const auto lost = json->find("lost")) return "… " + std::string(lost->raw()) + " events were not shown";
  const auto event = json->find("event");
  const auto priority = json->find("priority");
  if (!event || !priority) return std::string(line);
  const auto text = [&](std::string_view key) {
    const auto found = event->find(key);
    return found ? found->text().value_or(std::string()) : std::string();
  };
  const auto payload = event->find("Payload");
  return text("TimestampUTC") + " " + priority->text().value_or("") + " " + text("Name") + " " +
         std::string(payload ? payload->raw() : std::string_view());
}

int report_self_test(const SelfTestResult& result, bool json) {
  if (json) {
    print(STDOUT_FILENO, self_test_json(result) + "\n");
  } else if (result.outcome == Outcome::done) {
    const std::string event = "\n  event    " + result.event_id + "\n  message  " + result.message_id + "\n";
    print(STDOUT_FILENO, result.alert_id.empty()
                             ? "The hub has stored the test event." + event
                             : "The server has raised the alert of the test event." + event + "  alert    " +
                                   result.alert_id + "\nSee it on the server: picket alert show " + result.alert_id +
                                   "\n");
  } else {
    print(STDERR_FILENO, "picket-agent: the self test did not succeed: " + result.text + "\n");
  }
  return exit_with(result.outcome);
}

/// What the running agent answered.
SelfTestResult parse_self_test_json(std::string_view answer) {
  const auto field = [&](std::string_view key) -> std::string {
    const auto begin = answer.find("\"" + std::string(key) + "\":\"");
    if (begin == std::string::npos) return {};
    const auto from = begin + key.size() + 4;
    return std::string(answer.substr(from, answer.find('"', from) - from));
  };
  SelfTestResult out{.stored = answer.contains(R"("acknowledged":true)"), .alert_id = field("alertId")};
  out.event_id = field("eventId");
  out.message_id = field("messageId");
  out.text = field("text");
  constexpr std::string_view kCode = R"("exitCode":)";
  const auto code = answer.find(kCode);
  if (code != std::string_view::npos && code + kCode.size() < answer.size()) {
    out.outcome = static_cast<Outcome>(answer[code + kCode.size()] - '0');
  }
  return out;
}

}  // namespace

void print(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(to, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

int exit_with(Outcome outcome) { return static_cast<int>(outcome); }

int show_status(const Config& config, bool json) { return show_answer(config, json ? "status" : "status table", json); }

int show_dump(const Config& config, bool json) { return show_answer(config, json ? "dump" : "dump text", json); }

int show_events(const Config& config, bool follow, bool json) {
  const auto shown = follow_agent(config.socket_path(), follow ? "follow" : "events", [json](std::string_view line) {
    if (!line.empty()) print(STDOUT_FILENO, (json ? std::string(line) : event_line(line)) + "\n");
    return true;
  });
  return shown ? exit_with(Outcome::done) : not_answered(config, shown.error());
}

int self_test(const Config& config, SelfTestGoal test_goal, Duration timeout, bool json) {
  const std::string test_id = random_uuid();
  const std::string goal = test_goal == SelfTestGoal::alert ? "alert" : "stored";
  const auto seconds = std::max<std::int64_t>(1, (timeout.us + 999'999) / 1'000'000);
  const std::string request = "selftest " + test_id + " " + goal + " " + std::to_string(seconds);
  const auto answer = ask_agent(config.socket_path(), request, timeout + kAnswerGrace);
  if (answer) {
    const SelfTestResult result = parse_self_test_json(*answer);
    if (json) print(STDOUT_FILENO, *answer + "\n");
    return json ? exit_with(result.outcome) : report_self_test(result, false);
  }
  if (answer.error().code == Errc::truncated) {
    return report_self_test({.outcome = Outcome::failed, .text = "the running agent does not answer"}, json);
  }
  if (answer.error().code == Errc::denied) return not_answered(config, answer.error());
  if (!json) print(STDERR_FILENO, "no agent runs here; trying with a connection of its own\n");
  auto runtime = Runtime::create(config, system_clock(), {.collect = false, .log = {}});
  if (!runtime) return report_self_test({.text = runtime.error()}, json);
  return report_self_test((*runtime)->run_self_test(test_id, test_goal, timeout), json);
}

}  // namespace picket::agent
