# Who may include what. The build fails on an #include that the table does not allow, and each public
# header is compiled alone. As a script: cmake -DROOT=<tree> -P header_check.cmake.
cmake_minimum_required(VERSION 3.25)

# A folder (the most specific first) | the modules whose public headers it may include | prefixes of
# the other headers it may include, "*" for any. The standard library and a folder's own private
# headers are always allowed; the word posix stands for the operating system's headers.
set(TOKENSIEVE_POSIX_HEADERS fcntl.h malloc.h pthread.h signal.h unistd.h sys/)
set(TOKENSIEVE_HEADER_TABLE
  "include/tokensieve/core   | core                    |"
  "include/tokensieve/io     | core io                 |"
  "include/tokensieve/data   | core io data            |"
  "include/tokensieve/engine | core io engine          |"
  "include/tokensieve/viz    | core io viz             |"
  "include/tokensieve/nn     | core io data nn         | torch/"
  "include/tokensieve/nn.h   | nn                      |"
  "include/tokensieve        | core io data engine viz |"
  "src/core                  | core                    |"
  "src/io                    | core io                 | posix nlohmann/ stb_ jpeglib.h jerror.h webp/"
  "src/data                  | core io data            |"
  "src/engine/onednn         | core io engine          | posix oneapi/dnnl/ dnnl hwy/ omp.h"
  "src/engine                | core io engine          | posix hwy/ omp.h"
  "src/viz                   | core io viz             | opencv2/ stb_"
  "src/nn                    | core io data nn         | posix torch/ ATen/ c10/ omp.h"
  "src/cli/train             | core io data nn viz     | posix CLI/ nlohmann/ torch/"
  "src/cli                   | core io engine viz      | posix CLI/ nlohmann/"
  "python/src                | core io engine viz      | pybind11/"
  "demos                     | core io engine viz      | *"
  "benchmarks                | core io engine viz      | *"
  "tests/io                  | core io                 | posix catch2/ nlohmann/"
  "tests/data_loading        | core io data            | posix catch2/"
  "tests/nn                  | core io data nn         | catch2/ torch/"
  "tests/parity              | core io data nn         | torch/"
  "tests                     | core io engine viz      | posix catch2/ omp.h adding_a_method/")
set(TOKENSIEVE_PUBLIC_MODULES core io data engine viz nn)

# Sets `modules`, `third_party` and `rule_folder` of the first row that covers `file`.
function(tokensieve_rule_of file)
  foreach(row IN LISTS TOKENSIEVE_HEADER_TABLE)
    string(REGEX REPLACE " *\\| *" "|" row "${row}")
    string(REGEX MATCH "^([^|]*)\\|([^|]*)\\|(.*)$" _ "${row}")
    set(folder "${CMAKE_MATCH_1}")
    string(REPLACE " " ";" modules "${CMAKE_MATCH_2}")
    string(REPLACE " " ";" third_party "${CMAKE_MATCH_3}")
    string(FIND "${file}/" "${folder}/" position)
    if(position EQUAL 0)
      set(rule_folder "${folder}" PARENT_SCOPE)
      set(modules "${modules}" PARENT_SCOPE)
      set(third_party "${third_party}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "header_check: no row of the table covers ${file}")
endfunction()

# Sets `allowed` to whether `file` may contain #include <header>.
function(tokensieve_may_include file header)
  set(allowed FALSE PARENT_SCOPE)
  if(header MATCHES "\\.\\.")
    return()  # a way out of the folder
  endif()
  if(header MATCHES "^tokensieve/([a-z_]+)[/.]")
    if(CMAKE_MATCH_1 IN_LIST modules OR header STREQUAL "tokensieve/tokensieve.h")
      set(allowed TRUE PARENT_SCOPE)
    endif()
    return()
  endif()
  if(header MATCHES "^[a-z0-9_]+$" OR third_party STREQUAL "*")
    set(allowed TRUE PARENT_SCOPE)
    return()
  endif()
  set(prefixes ${third_party})
  if("posix" IN_LIST third_party)
    list(APPEND prefixes ${TOKENSIEVE_POSIX_HEADERS})
  endif()
  foreach(prefix IN LISTS prefixes)
    string(FIND "${header}" "${prefix}" position)
    if(position EQUAL 0)
      set(allowed TRUE PARENT_SCOPE)
      return()
    endif()
  endforeach()
  # Private headers: beside the file, or in its module's folder of src/. Public headers have none.
  string(REGEX MATCH "^(src|tests)/([a-z_]+)" _ "${file}")
  get_filename_component(beside ${file} DIRECTORY)
  set(private_folders ${beside} src/${CMAKE_MATCH_2})
  if(file MATCHES "^tests/")
    list(APPEND private_folders tests/support)
  endif()
  foreach(folder IN LISTS private_folders)
    if(NOT file MATCHES "^include/" AND EXISTS ${ROOT}/${folder}/${header})
      set(allowed TRUE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

function(tokensieve_check_includes)
  file(GLOB_RECURSE files RELATIVE ${ROOT}
    ${ROOT}/include/*.h ${ROOT}/src/*.h ${ROOT}/src/*.cpp ${ROOT}/python/src/*.h
    ${ROOT}/python/src/*.cpp ${ROOT}/demos/*.cpp ${ROOT}/demos/*.h ${ROOT}/benchmarks/*.cpp
    ${ROOT}/benchmarks/*.h ${ROOT}/tests/*.cpp ${ROOT}/tests/*.h)
  set(broken "")
  foreach(file IN LISTS files)
    tokensieve_rule_of(${file})
    file(STRINGS ${ROOT}/${file} lines REGEX "^[ \t]*#[ \t]*include[ \t]*[<\"]")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE ".*include[ \t]*[<\"]([^>\"]*)[>\"].*" "\\1" header "${line}")
      tokensieve_may_include(${file} "${header}")
      if(NOT allowed)
        list(JOIN modules " " may)
        list(JOIN third_party " " other)
        string(APPEND broken "${file} includes ${header}\n"
          "    rule: ${rule_folder} may include modules [${may}], third party [${other}]\n")
      endif()
    endforeach()
  endforeach()
  set(broken "${broken}" PARENT_SCOPE)
endfunction()

# Each module's umbrella header names all its headers, tokensieve.h all the umbrellas.
function(tokensieve_check_umbrellas)
  file(GLOB umbrellas RELATIVE ${ROOT}/include ${ROOT}/include/tokensieve/*.h)
  # nn stands apart: it pulls in LibTorch.
  list(REMOVE_ITEM umbrellas tokensieve/tokensieve.h tokensieve/nn.h)
  foreach(module IN LISTS TOKENSIEVE_PUBLIC_MODULES ITEMS tokensieve)
    set(headers "${umbrellas}")
    if(NOT module STREQUAL "tokensieve")
      file(GLOB_RECURSE headers RELATIVE ${ROOT}/include ${ROOT}/include/tokensieve/${module}/*.h)
    endif()
    set(text "")
    if(EXISTS ${ROOT}/include/tokensieve/${module}.h)
      file(READ ${ROOT}/include/tokensieve/${module}.h text)
    endif()
    foreach(header IN LISTS headers)
      string(FIND "${text}" "#include \"${header}\"" position)
      if(position EQUAL -1)
        string(APPEND broken "include/tokensieve/${module}.h does not include ${header}\n"
          "    rule: an umbrella header names all headers of its module\n")
      endif()
    endforeach()
  endforeach()
  set(broken "${broken}" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  tokensieve_check_includes()
  tokensieve_check_umbrellas()
  if(broken)
    message(NOTICE "${broken}")
    message(FATAL_ERROR "header_check: the rules above are broken")
  endif()
  return()
endif()

add_custom_target(header_check ALL
  COMMAND ${CMAKE_COMMAND} -DROOT=${PROJECT_SOURCE_DIR} -P ${CMAKE_CURRENT_LIST_FILE}
  COMMENT "Checking every #include against the dependency table" VERBATIM)

if(TOKENSIEVE_TESTS AND NOT TOKENSIEVE_SANITIZE)
  file(GLOB_RECURSE headers RELATIVE ${PROJECT_SOURCE_DIR}/include CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/include/*.h)
  add_library(headers_alone OBJECT)
  if(TARGET tokensieve_nn)
    add_library(nn_headers_alone OBJECT)
    target_link_libraries(nn_headers_alone PRIVATE tokensieve_nn OpenMP::OpenMP_CXX tokensieve_warnings)
    target_precompile_headers(nn_headers_alone REUSE_FROM tokensieve_nn)
  endif()
  foreach(header IN LISTS headers)
    string(REPLACE "/" "_" name ${header})
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/headers_alone/${name}.cpp
      CONTENT "#include \"${header}\"\n")
    if(NOT header MATCHES "tokensieve/nn[./]")
      target_sources(headers_alone PRIVATE ${PROJECT_BINARY_DIR}/headers_alone/${name}.cpp)
    elseif(TARGET tokensieve_nn)
      target_sources(nn_headers_alone PRIVATE ${PROJECT_BINARY_DIR}/headers_alone/${name}.cpp)
    endif()
  endforeach()
  target_include_directories(headers_alone PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(headers_alone PRIVATE -O0 -g0)
  target_link_libraries(headers_alone PRIVATE tokensieve_warnings)
endif()
