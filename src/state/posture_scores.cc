// What weighs on devices now. One pass over an index that has all it needs: 60 recommendations on each of 10,000
// devices are rows of this pass, and none of them may cost a look-up of its own.
#include <algorithm>
#include <unordered_set>

#include "state/posture.h"
#include "statement.h"

namespace picket::state {

extern const char* const kActiveSchema;
const char* const kActiveSchema =
    "CREATE INDEX recommendation_active ON recommendation (hub, device_id, type, severity) WHERE state = 'Active'";

namespace {

// Of IoT_Baseline each failing check counts by itself.
#define PICKET_SCORES                                                                                        \
  "SELECT d.device_id, d.security_group, a.type, a.severity FROM device AS d LEFT JOIN recommendation AS a " \
  "INDEXED BY recommendation_active ON a.hub = d.hub AND a.device_id = d.device_id AND a.state = 'Active' "  \
  "AND a.type <> 'IoT_Baseline' WHERE d.hub = ? AND "
constexpr std::string_view kScoresOfGroup = PICKET_SCORES "(?2 = '' OR d.security_group = ?2) ORDER BY d.device_id";
constexpr std::string_view kScoreOfOne = PICKET_SCORES "d.device_id = ?2";
#undef PICKET_SCORES

/// The exemptions in force.
class Exempt {
 public:
  static Result<Exempt> read(sqlite3* db, std::string_view hub, Timestamp now) {
    Exempt out;
    TRY(auto row, Statement::prepare(db,
                                     "SELECT type, device_id, security_group FROM exemption "
                                     "WHERE hub = ? AND (until = 0 OR until > ?)"));
    row.bind(hub, now);
    TRY_VOID(row.each([&] {
      out.types_.insert(row.text(0));
      out.whom_.insert(key(row.text(0), row.text(1), row.text(2)));
    }));
    return out;
  }
  [[nodiscard]] bool covers(const std::string& type, const DeviceScore& device) const {
    if (!types_.contains(type)) return false;
    return whom_.contains(key(type, "", "")) || whom_.contains(key(type, device.device_id, "")) ||
           whom_.contains(key(type, "", device.security_group)) ||
           whom_.contains(key(type, device.device_id, device.security_group));
  }

 private:
  static std::string key(std::string_view type, std::string_view device, std::string_view group) {
    std::string out(type);
    return out.append(1, '\0').append(device).append(1, '\0').append(group);
  }
  std::unordered_set<std::string> types_, whom_;
};

void count(DeviceScore& device, std::string_view severity) {
  if (severity == "High") ++device.high;
  if (severity == "Medium") ++device.medium;
  if (severity == "Low") ++device.low;
  if (severity == "Informational") ++device.informational;
}

/// By device. `of`: a group, or a device, as `query` says.
Result<std::vector<DeviceScore>> read_scores(sqlite3* db, std::string_view query, std::string_view hub,
                                             std::string_view of, Timestamp now) {
  TRY(const auto exempt, Exempt::read(db, hub, now));
  std::vector<DeviceScore> out;
  TRY(auto row, Statement::prepare(db, query));
  row.bind(hub, of);
  TRY_VOID(row.each([&] {
    const std::string device = row.text(0);
    if (out.empty() || out.back().device_id != device) {
      out.push_back({.device_id = device, .security_group = row.text(1)});
    }
    const std::string type = row.text(2);
    if (type.empty()) return;  // nothing is active
    if (exempt.covers(type, out.back())) {
      ++out.back().exempt;
    } else {
      count(out.back(), row.text(3));
    }
  }));
  return out;
}

}  // namespace

Result<std::vector<DeviceScore>> Posture::scores(std::string_view hub, std::string_view group, Timestamp now) const {
  std::vector<DeviceScore> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(out, read_scores(db, kScoresOfGroup, hub, group, now));
    return {};
  }));
  std::ranges::sort(out, [](const DeviceScore& a, const DeviceScore& b) {
    return a.lost() != b.lost() ? a.lost() > b.lost() : a.device_id < b.device_id;
  });
  return out;
}

Result<std::optional<DeviceScore>> Posture::score(std::string_view hub, std::string_view device_id,
                                                  Timestamp now) const {
  std::vector<DeviceScore> found;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(found, read_scores(db, kScoreOfOne, hub, device_id, now));
    return {};
  }));
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

}  // namespace picket::state
