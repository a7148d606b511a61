#include "reserved.h"

#include <array>

#include "contains.h"

namespace picket::kql {

namespace {

using namespace std::string_view_literals;

constexpr std::array kNeverNames = {
    "and"sv,       "asc"sv,      "between"sv, "boolean"sv, "byte"sv,       "char"sv,    "containscs"sv,
    "date"sv,      "datetime"sv, "decimal"sv, "desc"sv,    "double"sv,     "dynamic"sv, "endswith"sv,
    "first"sv,     "flags"sv,    "float"sv,   "has_all"sv, "has_any"sv,    "has_cs"sv,  "hasprefix"sv,
    "hassuffix"sv, "int"sv,      "int32"sv,   "int64"sv,   "isfuzzy"sv,    "last"sv,    "like"sv,
    "long"sv,      "missing"sv,  "or"sv,      "others"sv,  "pathformat"sv, "project"sv, "queries"sv,
    "real"sv,      "relaxed"sv,  "seal"sv,    "simple"sv,  "startswith"sv, "string"sv,  "time"sv,
    "timeline"sv,  "timespan"sv, "uint"sv,    "uint32"sv,  "uint64"sv,     "ulong"sv,   "union"sv,
    "uniqueid"sv,  "views"sv};

/// May be given, but not referred to without brackets.
constexpr std::array kNeverReferred = {
    "false"sv,       "true"sv,         "accumulate"sv, "as"sv,      "by"sv,      "contains"sv, "datatable"sv,
    "earliest"sv,    "externaldata"sv, "find"sv,       "has"sv,     "in"sv,      "invoke"sv,   "latest"sv,
    "materialize"sv, "mdm"sv,          "of"sv,         "print"sv,   "sample"sv,  "search"sv,   "set"sv,
    "title"sv,       "to"sv,           "toscalar"sv,   "totable"sv, "verbose"sv, "where"sv,    "with_itemindex"sv};

/// Begin an option where a name is given.
constexpr std::array kNeverGiven = {"false"sv, "kind"sv, "true"sv, "with_itemindex"sv, "with_source"sv, "withsource"sv};

}  // namespace

bool needs_brackets(std::string_view word, NameUse use) {
  if (contains(kNeverNames, word)) return true;
  return use == NameUse::given ? contains(kNeverGiven, word) : contains(kNeverReferred, word);
}

}  // namespace picket::kql
