#include "agent/twin_client.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "agent/twin_settings.h"
#include "base/core/json_reader.h"

namespace picket::agent {
namespace {

constexpr std::string_view kAnswers = "$iothub/twin/res/";
constexpr std::string_view kNotices = "$iothub/twin/PATCH/properties/desired/";
constexpr std::string_view kRequestId = "$rid=";

/// Digits at the front of `text`; nullopt: none, or too many.
std::optional<std::uint64_t> leading_number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return out;
}

}  // namespace

void TwinClient::on_connected(Duration now) {
  connected_ = true;
  want_twin_ = true;
  asked_ = Asked::nothing;
  delay_ = {};
  not_before_ = now;
}

void TwinClient::on_disconnected() {
  connected_ = false;
  asked_ = Asked::nothing;
}

void TwinClient::report(std::string patch) {
  wanted_ = std::move(patch);
  status_.reported = wanted_ == accepted_;
}

bool TwinClient::on_message(std::string_view topic, std::string_view payload, Duration now) {
  if (topic.starts_with(kNotices)) {
    want_twin_ = true;
    return true;
  }
  if (!topic.starts_with(kAnswers)) return false;
  on_answer(topic.substr(kAnswers.size()), payload, now);
  return true;
}

/// `tail`: "200/?$rid=7" or "204/?$rid=8&$version=3".
void TwinClient::on_answer(std::string_view tail, std::string_view payload, Duration now) {
  const auto code = leading_number(tail);
  const auto at = tail.find(kRequestId);
  if (!code || at == std::string_view::npos || asked_ == Asked::nothing) return;
  const auto request = leading_number(tail.substr(at + kRequestId.size()));
  if (!request || *request != request_id_) return;  // of a request that was given up
  const Asked asked = std::exchange(asked_, Asked::nothing);
  if (*code != 200 && *code != 204) {
    status_.last_error = static_cast<int>(std::min<std::uint64_t>(*code, 999));
    if (asked == Asked::twin) want_twin_ = true;
    // Malformed, or too large: sending the same again changes nothing.
    if (asked == Asked::report && *code == 400) accepted_ = sent_;
    return failed(now);
  }
  delay_ = {};
  if (asked == Asked::twin) return on_twin(payload, now);
  accepted_ = std::move(sent_);
  status_.reported = wanted_ == accepted_;
}

void TwinClient::on_twin(std::string_view payload, Duration now) {
  const auto twin =
      payload.size() <= 2 * kTwinBytesMax ? parse_json(payload) : fail(Errc::limit_exceeded, "agent.twin");
  if (!twin || twin->kind() != Json::Kind::object) {
    want_twin_ = true;
    return failed(now);
  }
  const auto desired = twin->find("desired");
  const bool present = desired && desired->kind() == Json::Kind::object;
  if (present) {
    const auto version = desired->find("$version");
    status_.version = version ? static_cast<std::uint64_t>(version->integer().value_or(0)) : 0;
  }
  status_.known = true;
  on_desired_(present ? desired->raw() : std::string_view("{}"));
}

void TwinClient::failed(Duration now) {
  ++status_.errors;
  delay_ = std::clamp(delay_ * 2, kDelayMin, kDelayMax);
  not_before_ = now + delay_;
}

std::optional<TwinClient::Request> TwinClient::next(Duration now) {
  if (!connected_) return std::nullopt;
  if (asked_ != Asked::nothing) {
    if (now < deadline_) return std::nullopt;
    if (asked_ == Asked::twin) want_twin_ = true;
    asked_ = Asked::nothing;
    failed(now);
  }
  if (now < not_before_) return std::nullopt;
  const bool report = !wanted_.empty() && wanted_ != accepted_;
  if (!want_twin_ && !report) return std::nullopt;
  const std::string tail = "/?$rid=" + std::to_string(++request_id_);
  deadline_ = now + kAnswerTimeout;
  if (want_twin_) {  // first: what it says changes the report
    want_twin_ = false;
    asked_ = Asked::twin;
    return Request{"$iothub/twin/GET" + tail, {}};
  }
  asked_ = Asked::report;
  sent_ = wanted_;
  return Request{"$iothub/twin/PATCH/properties/reported" + tail, sent_};
}

std::optional<Duration> TwinClient::next_deadline() const {
  if (!connected_) return std::nullopt;
  if (asked_ != Asked::nothing) return deadline_;
  if (!want_twin_ && (wanted_.empty() || wanted_ == accepted_)) return std::nullopt;
  return not_before_;
}

}  // namespace picket::agent
