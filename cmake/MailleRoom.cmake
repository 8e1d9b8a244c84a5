# Compiler settings shared by every room.
add_library(maille_flags INTERFACE)
target_include_directories(maille_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(maille_flags INTERFACE _GNU_SOURCE MAILLE_VERSION="${PROJECT_VERSION}")
target_compile_options(maille_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes
  # The order and the rounding of floating point are part of the contract (docs/decisions/0002).
  -ffp-contract=off -fno-fast-math -fstack-protector-strong)
# Sentences are cut at MAILLE_SENTENCE_MAX on purpose.
target_compile_options(maille_flags INTERFACE $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>)
if(MAILLE_WERROR)
  target_compile_options(maille_flags INTERFACE -Werror -Werror=incompatible-pointer-types)
endif()
if(MAILLE_SANITIZE)
  target_compile_options(maille_flags INTERFACE -fsanitize=${MAILLE_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(maille_flags INTERFACE -fsanitize=${MAILLE_SANITIZE})
  target_compile_definitions(maille_flags INTERFACE MAILLE_SANITIZED)
  # Undefined behaviour ends a program: it is a finding, not a line in a log.
  target_compile_options(maille_flags INTERFACE -fno-sanitize-recover=all)
endif()
# What is neither shipped nor watched by sanitizers is linked by gold where it is there: 250 test programs take half as long.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT MAILLE_SANITIZE)
  include(CheckLinkerFlag)
  check_linker_flag(C -fuse-ld=gold MAILLE_HAS_GOLD)
  if(MAILLE_HAS_GOLD)
    target_link_options(maille_flags INTERFACE -fuse-ld=gold)
  endif()
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(maille_flags INTERFACE _FORTIFY_SOURCE=2)
  # The same bytes in whatever folder it is built (tests/reproducible.sh).
  target_compile_options(maille_flags INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=./build)
endif()

# maille_room(NAME [USES room…] [PACKAGES target…] [SOURCES extra…])
#
# A room is the folder it stands in: every *.c becomes the static library maille_NAME, except
# NAME_test.c files, each of which becomes a test program "NAME.<subject>" beside its subject,
# and main.c, which a program's CMakeLists.txt names itself.
function(maille_room name)
  cmake_parse_arguments(ROOM "" "" "USES;PACKAGES;SOURCES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.c$")
  list(FILTER tests INCLUDE REGEX "_test\\.c$")
  list(TRANSFORM ROOM_USES PREPEND maille_)
  if(NOT sources AND NOT ROOM_SOURCES) # headers alone so far
    add_library(maille_${name} INTERFACE)
    target_link_libraries(maille_${name} INTERFACE maille_flags ${ROOM_USES})
    return()
  endif()
  add_library(maille_${name} STATIC ${sources} ${ROOM_SOURCES})
  target_link_libraries(maille_${name} PUBLIC maille_flags ${ROOM_USES} PRIVATE ${ROOM_PACKAGES})
  foreach(test ${tests})
    get_filename_component(subject ${test} NAME_WE)
    string(REGEX REPLACE "_test$" "" subject ${subject})
    maille_test(${name}.${subject} SOURCES ${test} USES ${name} PACKAGES ${ROOM_PACKAGES})
  endforeach()
endfunction()

# maille_test(NAME SOURCES file… USES room… [PACKAGES target…] [ARGS …] [TIMEOUT s]): one cmocka program, one CTest entry.
# A limit is for what hangs (900 s, CMakePresets.json), not for a slow machine: TIMEOUT is for what takes longer on one.
# A test runs in the source folder, writes only under the folder in $MAILLE_TEST_TMP.
function(maille_test name)
  cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;USES;PACKAGES;ARGS" ${ARGN})
  list(TRANSFORM TEST_USES PREPEND maille_)
  string(REPLACE "." "_" target test_${name})
  add_executable(${target} ${TEST_SOURCES})
  target_link_libraries(${target} PRIVATE ${TEST_USES} ${TEST_PACKAGES} PkgConfig::CMOCKA)
  add_test(NAME ${name} COMMAND ${target} ${TEST_ARGS} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(TEST_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT})
  endif()
  set(tmp ${CMAKE_BINARY_DIR}/tmp/${name})
  file(MAKE_DIRECTORY ${tmp})
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "MAILLE_TEST_TMP=${tmp};MAILLE_BIN=${CMAKE_BINARY_DIR}/bin")
endfunction()

# maille_manual(PROGRAM): its manual page and its completion for bash and zsh, made by the program itself from the rows that
# its --help is made of; installed where man, bash and zsh look.
include(GNUInstallDirs)
function(maille_manual program)
  set(folder ${CMAKE_BINARY_DIR}/manual)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${folder}/${program}.1 ${folder}/${program}.bash ${folder}/_${program}
    COMMAND ${program} --man > ${folder}/${program}.1
    COMMAND ${program} --completion bash > ${folder}/${program}.bash
    COMMAND ${program} --completion zsh > ${folder}/_${program}
    DEPENDS ${program} VERBATIM)
  add_custom_target(manual_${program} ALL DEPENDS ${folder}/${program}.1)
  install(FILES ${folder}/${program}.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${folder}/${program}.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ${program})
  install(FILES ${folder}/_${program} DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
endfunction()
