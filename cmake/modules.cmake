# How a module and an optional folder become targets.

# tokensieve_add_module(<name> [DEPENDS <module>...] [PRIVATE <target>...])
# The static library tokensieve_<name> (tokensieve::<name>) of every .cpp under the calling folder.
# DEPENDS are the modules its public headers may include, PRIVATE what only its sources use. Without
# a source there is no target.
function(tokensieve_add_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS;PRIVATE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    message(STATUS "tokensieve: module ${name} has no sources yet")
    return()
  endif()
  add_library(tokensieve_${name} STATIC ${sources})
  add_library(tokensieve::${name} ALIAS tokensieve_${name})
  target_include_directories(tokensieve_${name}
    PUBLIC ${PROJECT_SOURCE_DIR}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(tokensieve_${name} PRIVATE ${arg_PRIVATE} tokensieve_warnings)
  foreach(module IN LISTS arg_DEPENDS)
    if(TARGET tokensieve_${module})
      target_link_libraries(tokensieve_${name} PUBLIC tokensieve_${module})
    endif()
  endforeach()
endfunction()

# tokensieve_add_optional(<folder> <wanted>): enters the folder if it is wanted and has been written.
function(tokensieve_add_optional folder wanted)
  if(wanted AND EXISTS ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt)
    add_subdirectory(${folder})
  elseif(wanted)
    message(STATUS "tokensieve: ${folder} has no CMakeLists.txt yet")
  endif()
endfunction()
