// Reference data outside of the repository: published rules, and events with the rules that must match them.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <zlib.h>

#include "sigma/event.h"
#include "sigma/reader.h"
#include "sigma/rule_set.h"

namespace picket::sigma {

/// The environment's PICKET_SHARED_DATA, else the folder that the build found.
inline std::filesystem::path shared_data() {
  const char* own = std::getenv("PICKET_SHARED_DATA");
  return own != nullptr ? own : PICKET_SHARED_DATA;
}

/// The text of a file, unpacked when its name ends with .gz.
inline std::string file_text(const std::filesystem::path& path) {
  std::string out;
  if (path.extension() != ".gz") {
    std::ifstream in(path, std::ios::binary);
    out.assign(std::istreambuf_iterator<char>(in), {});
    return out;
  }
  gzFile file = gzopen(path.c_str(), "rb");
  char buffer[65'536];
  int size = 0;
  while (file != nullptr && (size = gzread(file, buffer, sizeof buffer)) > 0)
    out.append(buffer, static_cast<std::size_t>(size));
  gzclose(file);
  return out;
}

inline std::vector<boost::json::object> json_lines(const std::filesystem::path& path) {
  std::vector<boost::json::object> out;
  const std::string text = file_text(path);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) out.push_back(boost::json::parse(text.substr(begin, end - begin)).as_object());
    begin = end + 1;
  }
  return out;
}

/// All rules below a folder, in the order of their paths.
inline Documents read_folder(const std::filesystem::path& folder, Complaints& complaints) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".yml") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  Documents out;
  for (const auto& path : paths)
    read_documents(path.lexically_relative(folder), file_text(path), nullptr, out, complaints);
  return out;
}

/// An event of the golden data. The object outlives the fields.
inline std::vector<EventField> fields_of(const boost::json::object& event, const RuleSet& rules) {
  std::vector<EventField> out;
  for (const auto& [name, value] : event) {
    EventField field{rules.field(std::string_view(name)), {}};
    if (const auto* text = value.if_string()) field.value = Value::of(std::string_view(*text));
    if (const auto* number = value.if_int64()) field.value = Value::of(*number);
    if (const auto* number = value.if_double()) field.value = Value::of(*number);
    if (const auto* truth = value.if_bool()) field.value = Value::truth(*truth);
    out.push_back(field);
  }
  return out;
}

inline LogSource source_of(const boost::json::object& source) {
  LogSource out;
  for (const auto& [name, part] :
       {std::pair{"category", &out.category}, std::pair{"product", &out.product}, std::pair{"service", &out.service}}) {
    if (const auto* value = source.if_contains(name)) *part = std::string(value->as_string());
  }
  return out;
}

}  // namespace picket::sigma
