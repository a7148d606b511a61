// Standard input and output of the static binary. glibc's brings wide characters, character sets, locales, floating
// point and the dynamic loader: 200 KB. What is needed is reading text files (c-ares, mbedTLS), and formatting numbers
// and names. Linked into picket-agent only; like static_binary.cc it takes the place of the library's object files.
#undef _FORTIFY_SOURCE  // it defines some of these inline
#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "base/core/check.h"
#include "small_format.h"

using picket::agent::format_text;

namespace {

/// What a FILE* of this program points to.
struct TextFile {
  int fd;
  bool failed = false;
  std::size_t begin = 0, end = 0;
  char bytes[1024];

  int next() {
    if (begin == end) {
      const ssize_t n = ::read(fd, bytes, sizeof bytes);
      failed = failed || n < 0;
      if (n <= 0) return EOF;
      begin = 0;
      end = static_cast<std::size_t>(n);
    }
    return static_cast<unsigned char>(bytes[begin++]);
  }
};

TextFile* text_file(std::FILE* file) { return reinterpret_cast<TextFile*>(file); }

}  // namespace

// As base/core's, without stderr, which brings all of stdio.
void picket::check_failed(const char* expression, const char* reason, const char* file, int line) {
  char text[512];
  std::snprintf(text, sizeof text, "CHECK failed: %s (%s) at %s:%d\n", reason, expression, file, line);
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) std::abort();
  std::abort();
}

#define PICKET_FORMAT(call)    \
  std::va_list arguments;      \
  va_start(arguments, format); \
  const int length = call;     \
  va_end(arguments);           \
  return length

extern "C" {

std::FILE* stdin = nullptr;
std::FILE* stdout = nullptr;
std::FILE* stderr = nullptr;
int fprintf(std::FILE*, const char*, ...) { return -1; }  // malloc_stats() would print; nobody calls it

std::FILE* fopen(const char* path, const char* mode) {
  if (*mode != 'r') return nullptr;
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? nullptr : reinterpret_cast<std::FILE*>(new TextFile{.fd = fd, .bytes = {}});
}
// Both names are called, by code with and without 64-bit offsets: without one of them all of glibc's stdio is back.
#ifdef __USE_FILE_OFFSET64
std::FILE* plain_fopen(const char* path, const char* mode) asm("fopen");  // the headers call the other one fopen64 here
std::FILE* plain_fopen(const char* path, const char* mode) { return fopen(path, mode); }
#else
std::FILE* fopen64(const char* path, const char* mode) { return fopen(path, mode); }
#endif
int fclose(std::FILE* file) {
  const int status = ::close(text_file(file)->fd);
  delete text_file(file);
  return status;
}
int ferror(std::FILE* file) { return text_file(file)->failed ? 1 : 0; }
char* fgets(char* out, int size, std::FILE* file) {
  int length = 0;
  while (length + 1 < size) {
    const int c = text_file(file)->next();
    if (c == EOF) break;
    out[length++] = static_cast<char>(c);
    if (c == '\n') break;
  }
  if (length == 0) return nullptr;
  out[length] = '\0';
  return out;
}
size_t fread(void* out, size_t size, size_t count, std::FILE* file) {
  std::size_t done = 0;
  for (; done < size * count; ++done) {
    const int c = text_file(file)->next();
    if (c == EOF) break;
    static_cast<char*>(out)[done] = static_cast<char>(c);
  }
  return size == 0 ? 0 : done / size;
}
int fseek(std::FILE*, long, int) { return -1; }
long ftell(std::FILE*) { return -1; }
size_t fwrite(const void*, size_t, size_t, std::FILE*) { return 0; }  // mbedTLS's seed files, which are not used
int fputc(int, std::FILE*) { return EOF; }
void setbuf(std::FILE*, char*) {}
int setvbuf(std::FILE*, char*, int, size_t) { return 0; }
// Only mbedTLS's self tests print to standard output this way.
int puts(const char*) { return EOF; }
int putchar(int) { return EOF; }
int printf(const char*, ...) { return -1; }
int __printf_chk(int, const char*, ...) { return -1; }

int sprintf(char* out, const char* format, ...) { PICKET_FORMAT(format_text(out, SIZE_MAX, format, arguments)); }
int snprintf(char* out, size_t size, const char* format, ...) {
  PICKET_FORMAT(format_text(out, size, format, arguments));
}
int vsnprintf(char* out, size_t size, const char* format, std::va_list arguments) {
  return format_text(out, size, format, arguments);
}
int __snprintf_chk(char* out, size_t size, int, size_t, const char* format, ...) {
  PICKET_FORMAT(format_text(out, size, format, arguments));
}
int __sprintf_chk(char* out, int, size_t size, const char* format, ...) {
  PICKET_FORMAT(format_text(out, size, format, arguments));
}
int __vsnprintf_chk(char* out, size_t size, int, size_t, const char* format, std::va_list arguments) {
  return format_text(out, size, format, arguments);
}

}  // extern "C"
