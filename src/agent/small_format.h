// The part of vsnprintf that the agent and its libraries use, without locales, wide characters and floating point.
#pragma once

#include <cstdarg>
#include <cstddef>

namespace picket::agent {

/// Like vsnprintf (C11, 7.21.6.5) for %d %i %u %x %X %o %c %s %p %% with the flags - and 0, width, precision and the
/// lengths hh h l ll z j t. An unknown conversion is put out as it stands.
int format_text(char* out, std::size_t size, const char* format, std::va_list arguments);

}  // namespace picket::agent
