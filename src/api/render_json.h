// `render` as other products' clients read it: one JSON object with all properties, asked for or not.
#pragma once

#include <string>

#include "kql/plan.h"

namespace picket::api {

/// Kusto's names begin with a capital ("XColumn"), those of Log Analytics do not ("xColumn").
enum class RenderNames { kusto, log_analytics };

/// nullptr, and a plan without render: the defaults; `none` is then the visualization's JSON ("null", "\"table\"").
std::string render_json(const kql::Plan* plan, RenderNames names, const char* none);

}  // namespace picket::api
