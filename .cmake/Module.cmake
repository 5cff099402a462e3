# ipt_module(NAME SOURCES a.c b.c DEPS lower-modules FOREIGN pkg-config-names)
# One static library a module. Foreign libraries are PRIVATE: only this module may include their headers.
find_package(PkgConfig REQUIRED)

function(ipt_foreign target scope)
  foreach(name ${ARGN})
    string(MAKE_C_IDENTIFIER "PC_${name}" var)
    if(NOT TARGET PkgConfig::${var})
      pkg_check_modules(${var} REQUIRED IMPORTED_TARGET GLOBAL ${name})
    endif()
    target_link_libraries(${target} ${scope} PkgConfig::${var})
  endforeach()
endfunction()

function(ipt_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;FOREIGN" ${ARGN})
  add_library(ipt_${name} STATIC ${ARG_SOURCES})
  target_include_directories(ipt_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(ipt_${name} PRIVATE iptrust_flags)
  foreach(dep ${ARG_DEPS})
    target_link_libraries(ipt_${name} PUBLIC ipt_${dep})
  endforeach()
  ipt_foreign(ipt_${name} PRIVATE ${ARG_FOREIGN})
endfunction()

# ipt_unit_test(NAME MODULE module SOURCES test_x.c ...): a cmocka program that links its module and what lies below.
function(ipt_unit_test name)
  cmake_parse_arguments(ARG "" "MODULE" "SOURCES;LINK;WRAP" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support ${PROJECT_SOURCE_DIR}/service/${ARG_MODULE})
  target_link_libraries(${name} PRIVATE iptrust_flags ipt_support ipt_${ARG_MODULE} ${ARG_LINK})
  ipt_foreign(${name} PRIVATE cmocka)
  # Every unit test can make the n-th allocation of our code fail (tests/support/failalloc.h).
  # A test that never names failalloc must still pull it out of its archive, or what our code calls is not there.
  target_link_options(${name} PRIVATE LINKER:--wrap=malloc,--wrap=calloc,--wrap=realloc
    LINKER:--undefined=__wrap_malloc,--undefined=__wrap_calloc,--undefined=__wrap_realloc)
  # Optimisation across modules binds our calls before the linker could wrap them; release objects are fat and do without.
  target_link_options(${name} PRIVATE $<$<C_COMPILER_ID:GNU>:-fno-lto>)
  add_test(NAME ${name} COMMAND ${name})
endfunction()

# ipt_fuzz(NAME MODULE module SOURCES fuzz_x.c CORPUS dir): a libFuzzer target with -DIPTRUST_FUZZ=ON, and always a plain
# program that runs the committed corpus as a test.
function(ipt_fuzz name)
  cmake_parse_arguments(ARG "" "MODULE;CORPUS" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE iptrust_flags ipt_${ARG_MODULE} ${ARG_LINK})
  if(IPTRUST_FUZZ)
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/fuzz_main.c)
    add_test(NAME ${name} COMMAND ${name} ${PROJECT_SOURCE_DIR}/tests/corpus/${ARG_CORPUS})
  endif()
endfunction()
