// What is wrong with a deployment manifest of IoT Edge. Pure: JSON text in, findings out.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace picket::pipeline {

struct EdgeRemark {
  std::string module;
  std::string reason;
};

struct EdgeReport {
  std::vector<EdgeRemark> privileged;           ///< IoT_PrivilegedDockerOptions
  std::vector<EdgeRemark> no_principal;         ///< IoT_ACRAuthentication
  std::vector<EdgeRemark> no_logging;           ///< IoT_EdgeLoggingOptions
  std::vector<EdgeRemark> unused_protocols;     ///< IoT_EdgeHubMemOptimize
  std::map<std::string, std::string> settings;  ///< Module -> fingerprint of image, options and environment.
};

inline constexpr std::size_t kEdgeModulesMax = 256;

/// A whole manifest ("modulesContent"), or the desired properties of $edgeAgent alone. Errors: malformed
/// "edge_manifest.…".
Result<EdgeReport> analyse_edge_manifest(std::string_view json);

}  // namespace picket::pipeline
