#include "sbom/stanzas.h"

#include <algorithm>

namespace picket::agent {
namespace {

void set(std::string& target, std::string_view value) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t' || value.back() == '\r'))
    value.remove_suffix(1);
  target.assign(value.substr(0, Package::kTextMax));
}

/// "install ok installed": whether the files are there, whatever is wanted (removal is not done yet) or still to be
/// configured. Not so "config-files", "not-installed", "half-installed".
bool is_there(std::string_view status) {
  constexpr std::string_view kThere[] = {"installed", "triggers-pending", "triggers-awaited", "half-configured",
                                         "unpacked"};
  return std::ranges::find(kThere, status.substr(status.rfind(' ') + 1)) != std::end(kThere);
}

}  // namespace

StanzaParser::StanzaParser(StanzaForm form, bool status_needed, PackageSink sink)
    : form_(form), status_needed_(status_needed), sink_(std::move(sink)) {}

void StanzaParser::feed(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto piece = text.substr(0, end);
    if (end == std::string_view::npos) {
      line_cut_ = line_cut_ || line_.size() + piece.size() > kLineMax;
      line_.append(piece.substr(0, kLineMax - line_.size()));
      return;
    }
    text.remove_prefix(end + 1);
    if (line_.empty()) {
      on_line(piece.substr(0, kLineMax));
    } else {
      line_.append(piece.substr(0, kLineMax - line_.size()));
      on_line(line_);
      line_.clear();
      line_cut_ = false;
    }
  }
}

void StanzaParser::finish() {
  if (!line_.empty()) on_line(line_);
  line_.clear();
  line_cut_ = false;
  end_stanza();
}

void StanzaParser::on_line(std::string_view line) {
  if (line.empty() || line == "\r") return end_stanza();
  if (line.front() == ' ' || line.front() == '\t') return;  // the rest of a value that is not ours
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const auto key = line.substr(0, colon), value = line.substr(colon + 1);
  if (form_ == StanzaForm::apk) {
    if (key.size() == 1) on_letter(key[0], value);
  } else {
    on_field(key, value);
  }
}

void StanzaParser::on_field(std::string_view key, std::string_view value) {
  // Few keys of many: the first letter sorts most of them out.
  switch (key.front()) {
    case 'P':
      if (key == "Package") {
        set(package_.name, value);
        any_ = true;
      }
      break;
    case 'V':
      if (key == "Version") set(package_.version, value);
      break;
    case 'A':
      if (key == "Architecture") set(package_.architecture, value);
      break;
    case 'M':
      if (key == "Maintainer") set(package_.vendor, value);
      break;
    case 'S':
      if (key == "Source") set(package_.source_name, value);
      if (key == "Status") {
        std::string status;
        set(status, value);
        has_status_ = true;
        installed_ = is_there(status);
      }
      break;
    default:
      break;
  }
}

void StanzaParser::on_letter(char key, std::string_view value) {
  installed_ = has_status_ = true;
  switch (key) {
    case 'P':
      set(package_.name, value);
      any_ = true;
      break;
    case 'V':
      set(package_.version, value);
      break;
    case 'A':
      set(package_.architecture, value);
      break;
    case 'm':
      set(package_.vendor, value);
      break;
    case 'o':
      set(package_.source_name, value);
      break;
    default:
      break;
  }
}

void StanzaParser::end_stanza() {
  if (any_ && !package_.name.empty() && (has_status_ ? installed_ : !status_needed_)) {
    package_.type = form_ == StanzaForm::deb ? "deb" : form_ == StanzaForm::opkg ? "opkg" : "apk";
    // "Source: glibc (2.36-9)": the version where it differs from the package's. opkg's Source is a path or address.
    std::string& source = package_.source_name;
    if (const auto open = source.find(" (");
        form_ == StanzaForm::deb && open != std::string::npos && source.ends_with(')')) {
      package_.source_version = source.substr(open + 2, source.size() - open - 3);
      source.resize(open);
    }
    if (form_ == StanzaForm::opkg) source.clear();
    if (source == package_.name && package_.source_version.empty()) source.clear();
    sink_(package_);
  }
  package_ = {};
  installed_ = has_status_ = any_ = false;
}

}  // namespace picket::agent
