# Compiler, language level, warnings and sanitizers of every target.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
# Debian's own Python: what generators import is installed for it, not for one that comes first in PATH.
set(Python3_EXECUTABLE /usr/bin/python3)

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  # g++ 12 destroys some co_await temporaries twice; see docs/decisions/compiler.md.
  message(FATAL_ERROR "Picket is built with clang 19 or newer; use a preset: cmake --preset release")
endif()

option(PICKET_FUZZ "Build fuzz targets with libFuzzer instead of a plain main" OFF)
set(PICKET_SANITIZE "" CACHE STRING "Value for -fsanitize=, empty for none")

set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
# Sanitized builds: -O1 keeps stacks readable and the build on two cores under ten minutes.
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")

add_compile_options(-fstack-protector-strong -fPIE)
add_link_options(-fuse-ld=lld-19 -pie)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
# Libraries that come before the system's: those of tools/deps/agent_libraries.sh in a cross build of the agent.
set(PICKET_LIBRARIES "" CACHE PATH "Folder with include/ and lib/ of libraries that come before the system's, empty for none")
if(PICKET_LIBRARIES)
  include_directories(BEFORE SYSTEM ${PICKET_LIBRARIES}/include)
  add_link_options(-L${PICKET_LIBRARIES}/lib)  # not link_directories(), which leaves an RPATH that static start code refuses
endif()
if(PICKET_SANITIZE)
  # No vptr: the check reads RTTI, which classes of device code do not have.
  add_compile_options(-fsanitize=${PICKET_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PICKET_SANITIZE})
endif()

if(PICKET_FUZZ)
  # Every library reports coverage to the fuzzer; only fuzz targets link its main. Without this a target fuzzes blind.
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

add_library(picket_warnings INTERFACE)
target_compile_options(picket_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wimplicit-fallthrough -Wunused -Wnull-dereference
  # The TRY macros are GNU statement expressions; designated initialisers name only what differs from the default.
  -Wno-gnu-statement-expression -Wno-missing-field-initializers -Wno-missing-designated-field-initializers)
