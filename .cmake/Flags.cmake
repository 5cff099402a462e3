# Compiler flags, in one place. Foreign headers are SYSTEM and our warnings never reach them.
add_library(iptrust_flags INTERFACE)
target_compile_definitions(iptrust_flags INTERFACE _GNU_SOURCE IPTRUST_VERSION="${PROJECT_VERSION}")
target_compile_options(iptrust_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wcast-align -Wstrict-prototypes
  -Wmissing-prototypes -Wundef -Wvla -Wformat=2 -Wswitch-enum -Wnull-dereference -Wpointer-arith -Wwrite-strings
  -fno-common -fno-strict-overflow)
if(IPTRUST_WERROR)
  target_compile_options(iptrust_flags INTERFACE -Werror)
endif()

if(IPTRUST_SANITIZE)
  add_compile_options(-fsanitize=${IPTRUST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${IPTRUST_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  # Hardening for what people run; sanitizers bring their own checks and clash with _FORTIFY_SOURCE.
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero
    -fno-delete-null-pointer-checks -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
    add_compile_options(-fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
    add_compile_options(-mbranch-protection=standard)
  endif()
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)
  # The modules are small and call each other on every request: let the compiler see across them. Fat objects keep the
  # static library usable by those who link without it.
  if(IPTRUST_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-flto=auto -ffat-lto-objects)
    add_link_options(-flto=auto)
  endif()
  include(CheckPIESupported)
  check_pie_supported(LANGUAGES C)
endif()
# assert() guards our own mistakes and stays on in every build type.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
set(CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE} -g")
