// How the device is configured, judged by rules: whole once, then differences. A difference has all checks that are not
// passed, so that the newest scan alone tells what is wrong (docs/decisions/baseline-scans.md).
#include "agent/collector.h"

#include <memory>
#include <optional>
#include <vector>

#include "base/core/random.h"
#include "baseline/content_file.h"
#include "baseline/run.h"
#include "support/snapshot_source.h"

namespace picket::agent {
namespace {

/// One turn of the loop; between turns others have theirs, so that a run takes a fifth of a core at most.
constexpr Duration kTurn = Duration::milliseconds(2);
constexpr Duration kBetweenTurns = Duration::milliseconds(8);

message::BaselineResult result_of(baseline::State state) {
  using enum message::BaselineResult;
  constexpr message::BaselineResult results[] = {PASS, FAIL, SKIP, ERROR};
  return results[static_cast<std::size_t>(state)];
}

message::BaselineSeverity severity_of(baseline::Severity severity) {
  using enum message::BaselineSeverity;
  constexpr message::BaselineSeverity severities[] = {Critical, Important, Warning, Informational};
  return severities[static_cast<std::size_t>(severity)];
}

class Baseline final : public Source {
 public:
  explicit Baseline(const Environment& environment)
      : environment_(environment), difference_(snapshot_path(environment.settings, "baseline")) {}

  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return on_timer(); }
  Counters counters() const override { return counters_; }

  Duration on_timer() override {
    const Duration now = environment_.clock.monotonic();
    if (!run_ && (!begun_ || now >= due_)) begin(now);
    if (run_) {
      do {
        if (run_->step()) continue;
        end();
        break;
      } while (environment_.clock.monotonic() - now < kTurn);
      if (run_) return kBetweenTurns;
    } else if (save_at_ && now >= *save_at_) {
      save_at_.reset();
      (void)difference_.save();
    }
    const Duration next = save_at_ ? std::min(*save_at_, due_) : due_;
    return std::max(next - environment_.clock.monotonic(), Duration{});
  }

 private:
  void begin(Duration now) {
    begun_ = true;
    due_ = now + environment_.every;
    const CollectorSettings& settings = environment_.settings;
    // Read anew each time: content may have been upgraded.
    auto files = baseline::open_contents(settings);
    auto root = baseline::Root::open(settings.root);
    if (!files || !root) {  // what was told before stands; it is tried again next time
      ++counters_.seen;
      ++counters_.dropped_user;
      return;
    }
    files_ = *std::move(files);
    root_.emplace(*std::move(root));
    scan_ = random_uuid();
    report_.emplace(difference_, environment_, Origin{"baseline", "rules", false}, message::Baseline::kEvent,
                    Priority::high, counters_);
    run_.emplace(*root_, files_.contents(), baseline::choice_of(settings),
                 [this](const baseline::Rule& rule, const baseline::Verdict& verdict) { found(rule, verdict); });
  }

  void end() {
    counters_.seen += run_->broken_rules();
    counters_.dropped_user += run_->broken_rules();
    run_.reset();
    report_->removed([this](std::string_view text, auto send) {
      message::Baseline gone{
          .baseline_check_result = message::BaselineResult::SKIP, .event_id = scan_, .source = "rules"};
      gone.baseline_check_id = take_field(text);
      send(gone);
    });
    for (const NotPassed& old : not_passed_) {
      if (report_->any_news()) say(old.rule, old.verdict, [this](const auto& item) { report_->again(item); });
    }
    not_passed_ = {};
    report_->finish();
    report_.reset();
    root_.reset();
    files_ = {};
    save_at_ = environment_.clock.monotonic() + kSnapshotSaveDelay;
  }

  /// Of a difference, what is wrong as before: whether it is to be told is known at the end. No more than there are
  /// rules, each with at most kObservedMax bytes; what a rule names lies in files_.
  struct NotPassed {
    baseline::Rule rule;
    baseline::Verdict verdict;
  };

  void found(const baseline::Rule& rule, const baseline::Verdict& verdict) {
    bool news = false;
    say(rule, verdict, [&](const auto& item) { news = report_->item(rule.id, "", item); });
    const bool is_wrong = verdict.state == baseline::State::fail || verdict.state == baseline::State::error;
    if (!news && is_wrong) not_passed_.push_back({rule, verdict});
  }

  template <class Send>
  void say(const baseline::Rule& rule, const baseline::Verdict& verdict, Send send) const {
    const bool wrong = verdict.state == baseline::State::fail;
    const message::Detail details[] = {{"Observed", verdict.observed},
                                       {"Expected", rule.expected},
                                       {"Group", rule.group},
                                       {"Level", rule.level == 1 ? "1" : "2"},
                                       {"Reference", rule.reference}};
    const bool error = verdict.state == baseline::State::error;
    send(message::Baseline{.baseline_check_id = rule.id,
                           .baseline_check_result = result_of(verdict.state),
                           .baseline_check_description = rule.title,
                           .baseline_check_error = error ? std::string_view(verdict.observed) : "",
                           .baseline_check_remediation = wrong ? rule.remediation : "",
                           .baseline_check_severity = severity_of(rule.severity),
                           .baseline_name = files_.name(),
                           .event_id = scan_,
                           .source = "rules",
                           .extra_details = std::span(details).first(rule.reference.empty() ? 4 : 5)});
  }

  Environment environment_;
  SnapshotDifference difference_;
  std::optional<SnapshotReport> report_;
  baseline::ContentFiles files_;
  std::optional<baseline::Root> root_;
  std::optional<baseline::BaselineRun> run_;  ///< While one runs.
  std::string scan_;                          ///< UUID of the running scan, its EventId.
  std::vector<NotPassed> not_passed_;
  bool begun_ = false;
  Duration due_;
  std::optional<Duration> save_at_;
  Counters counters_;
};

Result<std::unique_ptr<Source>> open_rules(const Environment& environment) {
  TRY(const auto files, baseline::open_contents(environment.settings));
  TRY(const auto root, baseline::Root::open(environment.settings.root));
  return std::make_unique<Baseline>(environment);
}

constexpr Tier kTiers[] = {{"rules", "the device's configuration against rules, with what was seen and what to do",
                            "collectors.baseline.content; root for files that only root reads", false, open_rules}};

}  // namespace

const CollectorSpec& baseline_collector() {
  static constexpr CollectorSpec spec{"baseline", "configuration of the device against a baseline", kTiers,
                                      Priority::low, Duration::hours(24)};
  return spec;
}

}  // namespace picket::agent
