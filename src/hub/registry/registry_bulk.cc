// Bulk calls, import and export.
#include <sqlite3.h>

#include "audit.h"
#include "base/core/json_writer.h"
#include "hub/registry.h"
#include "identity_fields.h"
#include "state/outbox.h"

namespace picket::hub {
namespace {

constexpr std::size_t kExportPage = 500;

bool execute(sqlite3* db, const char* sql) { return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }

bool is_twin_only(BulkMode mode) { return mode == BulkMode::update_twin || mode == BulkMode::update_twin_if_match; }

PutMode put_mode_of(BulkMode mode) {
  switch (mode) {
    case BulkMode::create:
      return PutMode::create;
    case BulkMode::create_or_update:
    case BulkMode::create_or_update_if_match:
      return PutMode::create_or_update;
    default:
      return PutMode::update;
  }
}

std::string_view if_match_of(const BulkItem& item) {
  switch (item.mode) {
    case BulkMode::update_if_match:
    case BulkMode::create_or_update_if_match:
    case BulkMode::remove_if_match:
      return item.etag.empty() ? std::string_view("(none)") : std::string_view(item.etag);
    default:
      return "*";
  }
}

HubResult<> run_identity(RegistryTransaction& transaction, const BulkItem& item) {
  if (item.mode == BulkMode::remove || item.mode == BulkMode::remove_if_match) {
    return item.module ? transaction.remove_module(item.device.device_id, item.module->module_id, if_match_of(item))
                       : transaction.remove_device(item.device.device_id, if_match_of(item));
  }
  if (item.module) {
    HUB_TRY_VOID(transaction.put(*item.module, put_mode_of(item.mode), if_match_of(item)));
  } else {
    HUB_TRY_VOID(transaction.put(item.device, put_mode_of(item.mode), if_match_of(item)));
  }
  return {};
}

BulkError error_of(const BulkItem& item, HubError error) {
  return {item.device.device_id, item.module ? item.module->module_id : std::string(), std::move(error)};
}

std::string error_line(const BulkError& error) {
  JsonWriter json;
  json.begin_object().key("id").value(error.device_id);
  if (!error.module_id.empty()) json.key("moduleId").value(error.module_id);
  json.key("errorCode").value(code_name(error.error.code)).key("errorStatus").value(error.error.message);
  return json.end_object().take();
}

}  // namespace

HubResult<> Registry::run_item(RegistryTransaction& transaction, const BulkItem& item) {
  if (!is_twin_only(item.mode)) HUB_TRY_VOID(run_identity(transaction, item));
  const bool removed = item.mode == BulkMode::remove || item.mode == BulkMode::remove_if_match;
  const bool has_twin = !item.tags.empty() || !item.desired.empty();
  if (!removed && twin_import_ && (has_twin || is_twin_only(item.mode))) return twin_import_(transaction, item);
  if (is_twin_only(item.mode)) return hub_fail(kArgumentInvalid, "Twins cannot be imported here.");
  return {};
}

BulkResult Registry::run_bulk(RegistryTransaction& transaction, const std::vector<BulkItem>& items) {
  BulkResult out;
  auto* const db = transaction.database();
  for (const BulkItem& item : items) {
    const auto revoked = transaction.revoked().size();
    HubResult<> done = hub_fail(kUnavailable, "The store does not answer now. Try again.");
    if (execute(db, "SAVEPOINT item")) {
      done = run_item(transaction, item);
      if (!done) execute(db, "ROLLBACK TO item");
      if (!execute(db, "RELEASE item") && done)
        done = hub_fail(kUnavailable, "The store does not answer now. Try again.");
    }
    if (done) continue;
    transaction.keep_revoked(revoked);
    out.errors.push_back(error_of(item, done.error()));
  }
  return out;
}

void Registry::bulk(std::string hub, std::vector<BulkItem> items, state::Actor actor, Done<BulkResult> done) {
  if (items.size() > kBulkItemsMax)
    return done(std::unexpected(HubError{kArgumentInvalid, "A bulk call takes at most 100 devices."}));
  submit<BulkResult>(
      std::move(hub), std::move(actor),
      [this, items = std::move(items)](RegistryTransaction& transaction) -> HubResult<BulkResult> {
        return run_bulk(transaction, items);
      },
      std::move(done));
}

HubResult<Registry::ImportReport> Registry::import_devices(std::string_view hub, const state::Actor& actor,
                                                           const std::function<std::optional<std::string>()>& next,
                                                           const std::function<void(std::string_view)>& failed) {
  ImportReport report;
  for (bool more = true; more;) {
    std::vector<BulkItem> items;
    while (items.size() < kBulkItemsMax) {
      const auto line = next();
      more = line.has_value();
      if (!more) break;
      if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
      ++report.lines;
      auto item = bulk_item_from_json(*line, BulkMode::create);
      if (item) {
        items.push_back(*std::move(item));
      } else {
        ++report.failed;
        failed(error_line({"", "", item.error()}));
      }
    }
    RegistryTransaction* used = nullptr;
    std::optional<RegistryTransaction> transaction;
    BulkResult result;
    const auto written = database_.write([&](sqlite3* db) -> Result<> {
      used = &transaction.emplace(db, options_, std::string(hub), actor, clock_.now());
      result = run_bulk(*used, items);
      return {};
    });
    if (!written) return std::unexpected(from_store(written.error(), "The import"));
    tell_revoked(*used);
    report.failed += result.errors.size();
    for (const BulkError& error : result.errors) failed(error_line(error));
  }
  return report;
}

HubResult<std::uint64_t> Registry::export_devices(std::string_view hub, const state::Actor& actor, bool with_keys,
                                                  const std::function<bool(std::string_view)>& line) const {
  if (with_keys) {
    const auto recorded =
        state::Outbox(database_).record("key.read", "", Audit(actor, hub).field("export", true).take(), clock_.now());
    if (!recorded) return std::unexpected(from_store(recorded.error(), "The audit record"));
  }
  const auto twin_of = [&](std::string_view device_id, std::string_view module_id) {
    return twin_export_ ? twin_export_({std::string(hub), std::string(device_id), std::string(module_id)})
                        : ExportTwin{};
  };
  std::uint64_t lines = 0;
  for (std::string after;;) {
    HUB_TRY(const auto page, devices(hub, after, kExportPage));
    for (const auto& device : page.devices) {
      ++lines;
      if (!line(export_line(device, with_keys, twin_of(device.device_id, "")))) return lines;
      const auto modules = state::Identities(database_).modules(hub, device.device_id);
      if (!modules) return std::unexpected(from_store(modules.error(), "The export"));
      for (const auto& module : *modules) {
        ++lines;
        if (!line(export_line(device.device_id, module, with_keys, twin_of(device.device_id, module.module_id))))
          return lines;
      }
    }
    if (page.next.empty()) return lines;
    after = page.next;
  }
}

}  // namespace picket::hub
