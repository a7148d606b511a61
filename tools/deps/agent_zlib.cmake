# zlib's compressor and decompressor as a static library.
cmake_minimum_required(VERSION 3.25)
project(zlib LANGUAGES C)
add_library(z STATIC adler32.c compress.c crc32.c deflate.c inffast.c inflate.c inftrees.c trees.c uncompr.c zutil.c)
# Z_TESTW=0: the plain table for CRC-32, of 1 KiB instead of 9.
target_compile_definitions(z PRIVATE _LARGEFILE64_SOURCE=1 HAVE_UNISTD_H Z_TESTW=0)
install(TARGETS z DESTINATION lib)
install(FILES zlib.h zconf.h DESTINATION include)
