# Which library carries gRPC (service/transport): IPTRUST_GRPC=nghttp2 or core.
find_package(PkgConfig REQUIRED)

# The C core before 1.53.2 has unpatched advisories (CVE-2023-32731 and others). grpc.pc counts in numbers of its own, where
# 32 is the first that is newer beyond doubt; grpc++.pc has gRPC's, and need not be there.
pkg_check_modules(GRPC_CORE QUIET grpc)
pkg_check_modules(GRPC_CPP QUIET grpc++)
function(ipt_grpc_safe_core out)
  if(GRPC_CORE_FOUND AND (GRPC_CORE_VERSION VERSION_GREATER_EQUAL 32 OR GRPC_CPP_VERSION VERSION_GREATER_EQUAL 1.53.2))
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# 1.52.0 as released has neither the fixes for rapid reset (CVE-2023-44487) and CONTINUATION (CVE-2024-28182) nor that for an
# assertion that anybody can fail (CVE-2026-27135). Debian mended it without a new number, so its package is asked.
function(ipt_check_nghttp2)
  pkg_check_modules(NGHTTP2 REQUIRED QUIET libnghttp2)
  if(NGHTTP2_VERSION VERSION_GREATER 1.52.0)
    return()
  endif()
  set(need 1.52.0-1+deb12u3)
  if(NGHTTP2_VERSION VERSION_EQUAL 1.52.0 AND NOT CMAKE_CROSSCOMPILING)
    execute_process(COMMAND dpkg-query -W -f "\${Version}" libnghttp2-14 OUTPUT_VARIABLE package ERROR_QUIET)
    execute_process(COMMAND dpkg --compare-versions "0${package}" ge "0${need}" RESULT_VARIABLE older ERROR_QUIET)
    if(package AND "${older}" STREQUAL "0")
      return()
    endif()
  elseif(NGHTTP2_VERSION VERSION_EQUAL 1.52.0)
    return() # of another machine, whose packages cannot be asked here
  endif()
  message(FATAL_ERROR "libnghttp2 ${NGHTTP2_VERSION} (package: ${package}) lacks security fixes: ${need} or newer is needed, or -DIPTRUST_GRPC=core")
endfunction()

if(NOT DEFINED CACHE{IPTRUST_GRPC})
  # nghttp2 does not serve yet.
  set(IPTRUST_GRPC core)
endif()
set(IPTRUST_GRPC ${IPTRUST_GRPC} CACHE STRING "The library under the gRPC transport: nghttp2 or core (gRPC C core)")
set_property(CACHE IPTRUST_GRPC PROPERTY STRINGS nghttp2 core)
if(IPTRUST_GRPC STREQUAL "nghttp2")
  ipt_check_nghttp2()
elseif(NOT IPTRUST_GRPC STREQUAL "core")
  message(FATAL_ERROR "IPTRUST_GRPC is nghttp2 or core, not ${IPTRUST_GRPC}")
endif()
message(STATUS "gRPC transport: ${IPTRUST_GRPC}")
