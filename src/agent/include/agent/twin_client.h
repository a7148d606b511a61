// The device's side of its twin over MQTT (spec: hub, section 1.1), without sockets: topics and texts in and out.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/time.h"

namespace picket::agent {

/// Keeps in step with the twin of this identity. A notice of a changed desired section only makes it ask for the whole
/// twin again: one document has one truth, and a notice that was lost or came twice changes nothing. One request is on
/// its way at a time; without an answer in kAnswerTimeout it is repeated, after an error with a growing delay. A report
/// that the hub has taken is not sent again. One thread.
class TwinClient {
 public:
  static constexpr std::array<std::string_view, 2> kFilters{"$iothub/twin/res/#",
                                                            "$iothub/twin/PATCH/properties/desired/#"};
  static constexpr Duration kAnswerTimeout = Duration::seconds(30);
  static constexpr Duration kDelayMin = Duration::seconds(1), kDelayMax = Duration::minutes(5);

  struct Request {
    std::string topic;
    std::string payload;
  };
  /// Gets the desired section (JSON object) when it may have changed.
  using OnDesired = std::function<void(std::string_view desired)>;

  explicit TwinClient(OnDesired on_desired) : on_desired_(std::move(on_desired)) {}

  /// A connection stands and kFilters are subscribed to: the twin is asked for.
  void on_connected(Duration now);
  void on_disconnected();
  /// True: the topic was of a twin, also when the message made no sense.
  bool on_message(std::string_view topic, std::string_view payload, Duration now);
  /// What the reported section shall hold; replaces what was not sent yet. JSON object.
  void report(std::string patch);

  /// What to publish now (QoS 0), until nullopt.
  std::optional<Request> next(Duration now);
  /// When next() may have something that it has not now; nullopt: only after a message or a report.
  [[nodiscard]] std::optional<Duration> next_deadline() const;

  struct Status {
    bool known = false;         ///< A twin has come.
    std::uint64_t version = 0;  ///< $version of the desired section that came last.
    bool reported = false;      ///< The hub has the newest report.
    std::uint64_t errors = 0;   ///< Answers that were errors or made no sense, and requests without any.
    int last_error = 0;         ///< Status of the last error answer; 0 none.
  };
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  enum class Asked : std::uint8_t { nothing, twin, report };
  void on_answer(std::string_view tail, std::string_view payload, Duration now);
  void on_twin(std::string_view payload, Duration now);
  void failed(Duration now);

  OnDesired on_desired_;
  bool connected_ = false;
  bool want_twin_ = false;
  std::string wanted_;    ///< Report to be sent.
  std::string sent_;      ///< On its way.
  std::string accepted_;  ///< That the hub has.
  Asked asked_ = Asked::nothing;
  std::uint64_t request_id_ = 0;
  Duration deadline_;    ///< Of the answer.
  Duration not_before_;  ///< Of the next request.
  Duration delay_;
  Status status_;
};

}  // namespace picket::agent
