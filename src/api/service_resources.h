// Resources of the service REST model, each as JSON of its collection or of one.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "router.h"

namespace picket::api::service {

/// ARM's form of an error.
struct ServiceError {
  int status = 404;
  std::string code = "ResourceNotFound";
  std::string message = "The resource was not found.";
};
using ServiceAnswer = std::expected<Response, ServiceError>;

/// What a path names: "/subscriptions/S/resourceGroups/G/providers/Microsoft.Security/iotSecuritySolutions/NAME".
struct Target {
  std::string base;               ///< Id of the solution, as it was asked for.
  std::string solution;           ///< Its name.
  std::vector<std::string> path;  ///< Segments behind it, decoded.
};

/// Page of a list: `$top` or `$limit`, and `$skipToken`.
struct Page {
  std::size_t skip = 0;
  std::size_t count = 100;
};
std::expected<Page, ServiceError> page_of(const Call& call);
/// The address of the page that begins at `skip`.
std::string next_link(const Call& call, std::size_t skip);
ServiceError bad_request(std::string message);
ServiceError internal();

// solutions
ServiceAnswer list_solutions(const Call& call, const std::string& scope, bool with_group);
ServiceAnswer solution(Call& call, const Target& target);
/// Whether there is a solution of that name; without any stored one there is "picket".
bool has_solution(const Call& call, std::string_view name);
// analyticsModels
ServiceAnswer analytics(Call& call, const Target& target);
// iotAlertTypes, iotAlerts, iotRecommendationTypes, iotRecommendations
ServiceAnswer alert_types(const Call& call, const Target& target);
ServiceAnswer alerts(const Call& call, const Target& target);
ServiceAnswer recommendation_types(const Call& call, const Target& target);
ServiceAnswer recommendations(const Call& call, const Target& target);
/// deviceSecurityGroups[/{name}] of a hub.
ServiceAnswer security_groups(Call& call, const std::string& hub_resource, const std::vector<std::string>& path);

}  // namespace picket::api::service
