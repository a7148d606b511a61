#include "static_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "gzip.h"

namespace picket::api {
namespace {

namespace fs = std::filesystem;

struct Type {
  std::string_view extension;
  std::string_view name;
};
constexpr std::array kTypes{
    Type{".html", "text/html; charset=utf-8"},
    Type{".js", "text/javascript; charset=utf-8"},
    Type{".mjs", "text/javascript; charset=utf-8"},
    Type{".css", "text/css; charset=utf-8"},
    Type{".json", "application/json"},
    Type{".svg", "image/svg+xml"},
    Type{".png", "image/png"},
    Type{".ico", "image/x-icon"},
    Type{".woff2", "font/woff2"},
    Type{".ttf", "font/ttf"},
    Type{".wasm", "application/wasm"},
    Type{".txt", "text/plain; charset=utf-8"},
    Type{".webmanifest", "application/manifest+json"},
};

std::string_view type_of(std::string_view name) {
  for (const Type& type : kTypes) {
    if (name.ends_with(type.extension)) return type.name;
  }
  return "application/octet-stream";
}

constexpr std::string_view kIndex = "/index.html";

/// The portal decides itself which pages there are; their names may hold anything, device ids for one.
bool is_page(std::string_view path) { return !path.starts_with("/assets/"); }

constexpr std::size_t kCompressMin = 1400;  // below it, it is one packet either way
constexpr std::array<std::string_view, 6> kCompressible{".html", ".js", ".mjs", ".css", ".json", ".svg"};

bool is_compressible(std::string_view name) {
  return std::ranges::any_of(kCompressible, [name](std::string_view extension) { return name.ends_with(extension); });
}

}  // namespace

Result<StaticFiles> StaticFiles::open(const std::string& directory) {
  StaticFiles out;
  std::error_code error;
  const fs::path root(directory);
  for (fs::recursive_directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    if (!at->is_regular_file(error) || at->is_symlink(error)) continue;
    if (out.files_.size() == kFilesMax) return fail(Errc::limit_exceeded, "api.portal.files");
    const std::string url = "/" + fs::relative(at->path(), root, error).generic_string();
    TRY(const auto content, read_file(at->path().string(), kFileBytesMax));
    File file{.path = at->path().string(),
              .etag = "\"" + to_hex(sha256(as_bytes(content))).substr(0, 32) + "\"",
              .type = type_of(url)};
    file.immutable = url.starts_with("/assets/");
    if (is_compressible(url) && content.size() >= kCompressMin) file.compressed = std::make_unique<Compressed>();
    out.files_.emplace(url, std::move(file));
  }
  if (error) return std::unexpected(Error{Errc::io, "api.portal", 0, error.value()});
  if (!out.files_.contains(kIndex)) return fail(Errc::not_found, "api.portal.index");
  return out;
}

Response StaticFiles::serve(const Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    Response response = Response::error({.code = "method_not_allowed"});
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  const auto path = percent_decode(request.path);
  auto found = path ? files_.find(*path) : files_.end();
  if (found == files_.end() && path && is_page(*path)) found = files_.find(kIndex);
  if (found == files_.end()) return Response::error({.code = "not_found"});
  const File& file = found->second;
  Response response{.headers = {{"Content-Type", std::string(file.type)}, {"ETag", file.etag}}};
  response.headers.emplace_back("Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (request.header("if-none-match").contains(file.etag)) {
    response.status = 304;
    return response;
  }
  if (file.compressed) response.headers.emplace_back("Vary", "Accept-Encoding");
  auto content = read_file(file.path, kFileBytesMax);
  if (!content) return Response::error({.code = "not_found"});  // removed since the start
  if (file.compressed && accepts_gzip(request)) {
    std::call_once(file.compressed->made, [&] { file.compressed->content = gzip(*content, Compression::small); });
    if (!file.compressed->content.empty()) {
      response.headers.emplace_back("Content-Encoding", "gzip");
      response.body = file.compressed->content;
      return response;
    }
  }
  response.body = *std::move(content);
  return response;
}

}  // namespace picket::api
