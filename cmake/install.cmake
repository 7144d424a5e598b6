# What `cmake --install` puts down: a relocatable tree that carries oneDNN beside libtokensieve, finds
# it by $ORIGIN, and whose package file looks for no third party.

if(NOT TARGET tokensieve)
  return()
endif()
include(CMakePackageConfigHelpers)
set(tokensieve_cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/tokensieve)
set(tokensieve_licence_folder ${CMAKE_INSTALL_DATADIR}/doc/tokensieve)

install(TARGETS tokensieve EXPORT tokensieve-targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development FILES_MATCHING PATTERN "*.h"
  # Training is a program, not a part of the installed library.
  PATTERN "nn" EXCLUDE PATTERN "nn.h" EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/THIRD_PARTY.txt
  DESTINATION ${tokensieve_licence_folder} COMPONENT runtime)
if(TARGET tokensieve_cli)
  install(TARGETS tokensieve_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
endif()

if(TOKENSIEVE_ENGINE)
  install(FILES $<TARGET_FILE:DNNL::dnnl> DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime
    RENAME $<TARGET_SONAME_FILE_NAME:DNNL::dnnl>)
  foreach(text LICENSE THIRD-PARTY-PROGRAMS)
    find_file(TOKENSIEVE_ONEDNN_${text} ${text} NO_DEFAULT_PATH HINTS
      ${dnnl_DIR}/../../../share/doc/onednn ${dnnl_DIR}/../../../share/doc/dnnl)
    if(TOKENSIEVE_ONEDNN_${text})
      install(FILES ${TOKENSIEVE_ONEDNN_${text}} COMPONENT runtime
        DESTINATION ${tokensieve_licence_folder}/licenses RENAME oneDNN-${text}.txt)
    else()
      message(STATUS "tokensieve: oneDNN's ${text} not found: add it before you pass copies on")
    endif()
  endforeach()
endif()

install(EXPORT tokensieve-targets NAMESPACE tokensieve:: COMPONENT development
  DESTINATION ${tokensieve_cmake_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tokensieve-config.cmake.in
  ${PROJECT_BINARY_DIR}/tokensieve-config.cmake INSTALL_DESTINATION ${tokensieve_cmake_folder}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tokensieve-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tokensieve-config.cmake
  ${PROJECT_BINARY_DIR}/tokensieve-config-version.cmake
  DESTINATION ${tokensieve_cmake_folder} COMPONENT development)
