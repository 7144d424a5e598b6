# libtokensieve.so: every module that was built, in one shared library. oneDNN and the rest of the
# third party stay inside it.

foreach(module core io data engine viz)
  if(TARGET tokensieve_${module})
    list(APPEND tokensieve_modules ${module})
  endif()
endforeach()
if(NOT tokensieve_modules)
  message(STATUS "tokensieve: nothing to put into the shared library yet")
  return()
endif()
list(TRANSFORM tokensieve_modules PREPEND tokensieve_ OUTPUT_VARIABLE module_targets)
list(JOIN module_targets "," whole_archives)

file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/shared_library.cpp "// The modules hold the code.\n")
add_library(tokensieve SHARED ${CMAKE_CURRENT_BINARY_DIR}/shared_library.cpp)
add_library(tokensieve::tokensieve ALIAS tokensieve)
target_link_libraries(tokensieve PRIVATE ${module_targets})
target_include_directories(tokensieve INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(tokensieve INTERFACE cxx_std_20)
set_target_properties(tokensieve PROPERTIES
  LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,${whole_archives}"
  INSTALL_RPATH "$ORIGIN")
# A wheel knows no links: there, each of the versioned names would be a copy of the whole library.
if(NOT SKBUILD)
  set_target_properties(tokensieve PROPERTIES
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endif()
