// Makes twins what the configurations say.
#include <future>

#include <fmt/format.h>

#include "base/server/log.h"
#include "configuration_content.h"
#include "hub/configurations.h"
#include "hub/twin_rows.h"

namespace picket::hub {
namespace {

Result<std::vector<CompiledConfiguration>> compile_all(const std::vector<state::ConfigurationRow>& rows) {
  std::vector<CompiledConfiguration> out;
  for (const state::ConfigurationRow& row : rows) {
    const auto body = parse_json(row.body, {.bytes_max = 4 * kConfigurationBodyBytesMax, .depth_max = 32});
    if (!body) return fail(Errc::internal, "configuration.stored");
    auto target = parse_target_condition(body->text_of("targetCondition"));
    auto content = parse_configuration_content(body->find("content"));
    if (!target || !content) return fail(Errc::internal, "configuration.stored");
    out.push_back(
        {row.id, body->integer_of("priority").value_or(0), row.created, *std::move(target), *std::move(content)});
  }
  sort_by_priority(out);
  return out;
}

/// What one twin should become.
struct TwinGoal {
  WantedValues wanted;
  std::map<std::string, bool> targets;

  void add(const CompiledConfiguration& configuration, const DesiredLeaves& leaves) {
    const bool taken = wanted.add(configuration.id, leaves);
    targets[configuration.id] = targets[configuration.id] || taken;
  }
};

bool operator==(const state::ConfigurationValue& a, const state::ConfigurationValue& b) {
  return a.configuration == b.configuration && a.value == b.value;
}

bool same_values(const std::map<std::string, state::ConfigurationValue>& a,
                 const std::map<std::string, state::ConfigurationValue>& b) {
  return std::ranges::equal(a, b,
                            [](const auto& x, const auto& y) { return x.first == y.first && x.second == y.second; });
}

}  // namespace

/// One batch of devices of one hub. Changes are submitted as they are found and
/// waited for at the end.
class Configurations::Reconciler {
 public:
  Reconciler(Configurations& owner, std::string hub, std::vector<CompiledConfiguration> configurations)
      : owner_(owner), hub_(std::move(hub)), configurations_(std::move(configurations)) {}

  Result<> device(const state::TwinRow& row) {
    const auto document = owner_.twins_.document_of(row);
    if (!document) return fail(Errc::internal, "configuration.twin");
    TwinGoal own;
    std::map<std::string, TwinGoal> of_modules;
    for (const CompiledConfiguration& one : configurations_) {
      if (one.target.scope != TargetScope::devices || !one.target.matches(*document)) continue;
      own.add(one, one.content.device);
      for (const auto& [module, leaves] : one.content.modules) {
        of_modules[module].add(one, leaves);
        own.targets[one.id] = own.targets[one.id] || of_modules[module].targets[one.id];
      }
    }
    TRY(const auto modules, owner_.twins_.store().modules(hub_, row.owner.device_id));
    for (const state::TwinRow& module : modules) TRY_VOID(this->module(module, of_modules[module.owner.module_id]));
    return settle(row, own);
  }

  /// Devices whose change did not take place and must be tried again.
  std::vector<std::string> finish() {
    std::vector<std::string> out;
    for (auto& [row, answer] : waiting_) {
      const HubResult<> done = answer.get();
      if (done || done.error().status() == 404) continue;
      if (done.error().code == kEtagMismatch || done.error().status() >= 500) {
        out.push_back(row.owner.device_id);
      } else {
        log::warning("configurations", "{}{}{}: {}", row.owner.device_id, row.owner.module_id.empty() ? "" : "/",
                     row.owner.module_id, done.error().message);
        refused(row);
      }
    }
    waiting_.clear();
    return out;
  }

 private:
  Result<> module(const state::TwinRow& row, TwinGoal goal) {
    // Targets of device configurations are counted at the device.
    std::map<std::string, bool> none;
    std::swap(goal.targets, none);
    const auto document = owner_.twins_.document_of(row);
    if (!document) return fail(Errc::internal, "configuration.twin");
    for (const CompiledConfiguration& one : configurations_) {
      if (one.target.scope == TargetScope::modules && one.target.matches(*document)) goal.add(one, one.content.module);
    }
    return settle(row, goal);
  }

  Result<> settle(const state::TwinRow& row, const TwinGoal& goal) {
    TRY(const auto recorded, owner_.store_.values_of(hub_, row.owner.device_id, row.owner.module_id));
    TRY(const auto targets, owner_.store_.targets_of(hub_, row.owner.device_id, row.owner.module_id));
    TRY(const TwinDocument twin, load_twin(row));
    JsonObject patch = reconciling_patch(goal.wanted.values(), recorded, twin.desired.value);
    if (patch.empty() && targets == goal.targets && same_values(recorded, goal.wanted.values())) return {};
    TwinChange change;
    if (!patch.empty()) change.desired = std::move(patch);
    submit(row, std::move(change), twin.etag, goal.wanted.values(), goal.targets);
    return {};
  }

  void submit(const state::TwinRow& row, TwinChange change, std::string etag,
              std::map<std::string, state::ConfigurationValue> values, std::map<std::string, bool> targets) {
    const state::TwinOwner& owner = row.owner;
    auto promise = std::make_shared<std::promise<HubResult<>>>();
    waiting_.emplace_back(row, promise->get_future());
    owner_.twins_.patch(
        {hub_, owner.device_id, owner.module_id}, std::move(change), std::move(etag), {"configurations", ""},
        [hub = hub_, device = owner.device_id, module = owner.module_id, values = std::move(values),
         targets = std::move(targets)](sqlite3* db) -> Result<> {
          TRY_VOID(state::Configurations::set_values(db, hub, device, module, values));
          return state::Configurations::set_targets(db, hub, device, module, targets);
        },
        [promise](HubResult<> done) { promise->set_value(std::move(done)); });
  }

  // The twin cannot hold the values: they stay as they were, and the
  // configurations count as targeted, not applied.
  void refused(const state::TwinRow& row) {
    const auto recorded = owner_.store_.values_of(hub_, row.owner.device_id, row.owner.module_id);
    const auto document = owner_.twins_.document_of(row);
    if (!recorded || !document) return;
    std::map<std::string, bool> targets;
    for (const CompiledConfiguration& one : configurations_) {
      const bool scope = (one.target.scope == TargetScope::modules) == !row.owner.module_id.empty();
      if (scope && one.target.matches(*document)) targets[one.id] = false;
    }
    auto promise = std::make_shared<std::promise<void>>();
    owner_.database_.submit(
        [hub = hub_, owner = row.owner, targets](sqlite3* db) {
          return state::Configurations::set_targets(db, hub, owner.device_id, owner.module_id, targets);
        },
        [promise](Result<>) { promise->set_value(); });
    promise->get_future().wait();
  }

  Configurations& owner_;
  std::string hub_;
  std::vector<CompiledConfiguration> configurations_;
  std::vector<std::pair<state::TwinRow, std::future<HubResult<>>>> waiting_;
};

Result<bool> Configurations::reconcile(std::size_t devices_max) {
  TRY(const auto hubs, store_.hubs());
  bool more = false;
  for (const std::string& hub : hubs) {
    TRY(const auto rows, store_.list(hub));
    TRY(const auto dirty, store_.dirty(hub, devices_max));
    TRY(auto scan, store_.scan(hub));
    if (dirty.empty() && !scan) continue;
    more = true;
    TRY(auto compiled, compile_all(rows));
    Reconciler reconciler(*this, hub, std::move(compiled));
    for (const state::DirtyDevice& one : dirty) {
      const auto row = twins_.store().find(hub, one.device_id, "");
      if (!row && row.error().code == Errc::not_found) continue;
      if (!row) return std::unexpected(row.error());
      TRY_VOID(reconciler.device(*row));
    }
    auto again = reconciler.finish();
    TRY_VOID(store_.clean(hub, dirty));
    if (scan && dirty.size() < devices_max) {
      TRY(const auto page, twins_.store().list(hub, state::TwinKind::devices, scan->after, "", devices_max));
      for (const state::TwinRow& row : page) TRY_VOID(reconciler.device(row));
      for (std::string& id : reconciler.finish()) again.push_back(std::move(id));
      if (page.size() < devices_max) {
        TRY_VOID(store_.end_scan(hub, *scan));
      } else {
        scan->after = page.back().owner.device_id;
        TRY_VOID(store_.move_scan(hub, *scan));
      }
    }
    for (const std::string& id : again) TRY_VOID(store_.mark_dirty(hub, id));
  }
  return more;
}

Result<> Configurations::count_metrics(Timestamp now) {
  if (!metrics_due_.exchange(false) && now - metrics_counted_ < kMetricsEvery) return {};
  metrics_counted_ = now;
  TRY(const auto hubs, store_.hubs());
  for (const std::string& hub : hubs) {
    TRY(const auto rows, store_.list(hub));
    for (const state::ConfigurationRow& row : rows) {
      const auto body = parse_json(row.body, {.bytes_max = 4 * kConfigurationBodyBytesMax, .depth_max = 32});
      const JsonValue* const metrics = body ? body->find("metrics") : nullptr;
      const JsonValue* const queries = metrics == nullptr ? nullptr : metrics->find("queries");
      if (queries == nullptr || queries->object() == nullptr || queries->object()->empty()) continue;
      JsonObject results;
      for (const JsonMember& one : queries->object()->members()) {
        if (const auto count = count_rows(hub, *one.value.string())) results.set(one.key, *count);
      }
      const std::string text = JsonValue(std::move(results)).to_string();
      if (text != row.metrics) TRY_VOID(store_.set_metrics(hub, row.id, text));
    }
  }
  return {};
}

// A metric is the number of rows that its query returns.
std::optional<std::uint64_t> Configurations::count_rows(const std::string& hub, const std::string& text) const {
  auto query = Query::compile(text);
  if (!query) return std::nullopt;
  const bool with_configurations = reads_configurations(*query);
  TwinRows rows(twins_, hub,
                query->source == QuerySource::modules ? state::TwinKind::modules : state::TwinKind::devices,
                with_configurations ? &store_ : nullptr);
  if (query->aggregated()) {
    const auto page = run_query(*query, rows, "", kQueryPageMax);
    return page ? std::optional<std::uint64_t>(page->count) : std::nullopt;
  }
  query->star = false;
  query->columns = {{.aggregate = Aggregate::count, .alias = "n"}};
  const auto top = std::exchange(query->top, std::nullopt);
  const auto page = run_query(*query, rows, "", 1);
  const auto parsed = page ? parse_json(page->items) : Result<JsonValue>(fail(Errc::internal, "metric"));
  if (!parsed || parsed->array() == nullptr || parsed->array()->empty()) return std::nullopt;
  const auto count = parsed->array()->front().integer_of("n");
  if (!count) return std::nullopt;
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(*count), top.value_or(SIZE_MAX));
}

// One twin after the other; the first failure ends it.
void Configurations::apply_content(const IdentityKey& device, std::string_view body, state::Actor actor, Done<> done) {
  const auto parsed = parse_json(body, {.bytes_max = kConfigurationBodyBytesMax, .depth_max = 24});
  if (!parsed) return done(hub_fail(kArgumentInvalid, "The body: " + explain_json(parsed.error())));
  const auto content = parse_configuration_content(&*parsed);
  if (!content) return done(std::unexpected(content.error()));
  if (!content->module.empty()) {
    return done(hub_fail(kArgumentInvalid, "moduleContent cannot be applied to a device; use modulesContent."));
  }
  auto steps = std::make_shared<Steps>();
  const auto add = [&](const std::string& module, const DesiredLeaves& leaves) {
    if (leaves.empty()) return;
    TwinChange change;
    change.desired = desired_object(leaves);
    steps->emplace_back(IdentityKey{device.hub, device.device_id, module}, std::move(change));
  };
  add("", content->device);
  for (const auto& [module, leaves] : content->modules) add(module, leaves);
  apply_next(std::move(steps), 0, std::move(actor), std::move(done));
}

void Configurations::apply_next(std::shared_ptr<Steps> steps, std::size_t at, state::Actor actor, Done<> done) {
  if (at == steps->size()) return done({});
  auto& [key, change] = (*steps)[at];
  twins_.patch(key, std::move(change), "", actor, Twins::Also(),
               [this, steps, at, actor, done = std::move(done)](HubResult<> end) mutable {
                 if (!end) return done(std::move(end));
                 apply_next(std::move(steps), at + 1, std::move(actor), std::move(done));
               });
}

}  // namespace picket::hub
