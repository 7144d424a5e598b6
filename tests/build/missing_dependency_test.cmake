# A missing package drops its part with one status line each, and the rest still configures.
# cmake -DSOURCE=<tree> -DSCRATCH=<folder> -DGENERATOR=... -DMAKE_PROGRAM=... -DCXX=...
#       -DOPENCV_INCLUDE_DIR=<folder to hide> -P missing_dependency_test.cmake

file(REMOVE_RECURSE ${SCRATCH})
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${SCRATCH} -G ${GENERATOR}
  -DCMAKE_MAKE_PROGRAM=${MAKE_PROGRAM} -DCMAKE_CXX_COMPILER=${CXX}
  -DCMAKE_DISABLE_FIND_PACKAGE_dnnl=TRUE -DCMAKE_IGNORE_PATH=${OPENCV_INCLUDE_DIR}
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "configuring without oneDNN and OpenCV failed:\n${output}")
endif()
foreach(expected "TOKENSIEVE_ENGINE is off: oneDNN" "TOKENSIEVE_VIZ is off: OpenCV"
                 "TOKENSIEVE_CLI is off: it needs the engine")
  string(REGEX MATCHALL "${expected}" lines "${output}")
  list(LENGTH lines count)
  if(NOT count EQUAL 1)
    message(FATAL_ERROR "expected one line '${expected}', got ${count}:\n${output}")
  endif()
endforeach()
file(REMOVE_RECURSE ${SCRATCH})
