# The header check passes on a clean tree and names the broken rule on each planted violation.
# cmake -DCHECK=<header_check.cmake> -DSCRATCH=<folder> -P header_check_test.cmake

set(failures 0)

# expect(<file> <text> <message>): a tree that holds `file` with `text` must fail the check, printing
# `message`; an empty message means that it must pass.
function(expect file text message)
  file(REMOVE_RECURSE ${SCRATCH})
  file(WRITE ${SCRATCH}/include/tokensieve/core/error.h "#include <string>\n")
  file(WRITE ${SCRATCH}/include/tokensieve/core.h "#include \"tokensieve/core/error.h\"\n")
  file(WRITE ${SCRATCH}/include/tokensieve/tokensieve.h "#include \"tokensieve/core.h\"\n")
  file(WRITE ${SCRATCH}/src/core/private.h "#include <vector>\n")
  file(WRITE ${SCRATCH}/${file} "${text}\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${SCRATCH} -P ${CHECK}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(FIND "${output}" "${message}" position)
  if((message STREQUAL "" AND result EQUAL 0)
     OR (NOT message STREQUAL "" AND NOT result EQUAL 0 AND NOT position EQUAL -1))
    return()
  endif()
  message(NOTICE "${file} with '${text}': expected '${message}', exit ${result}, output:\n${output}")
  math(EXPR failures "${failures} + 1")
  set(failures ${failures} PARENT_SCOPE)
endfunction()

expect(src/core/good.cpp "#include <cmath>\n#include \"private.h\"\n#include \"tokensieve/core/error.h\"" "")
expect(src/engine/onednn/good.cpp "#include <oneapi/dnnl/dnnl.hpp>" "")
expect(tests/core/good_test.cpp "#include <catch2/catch.hpp>\n#include \"private.h\"" "")

expect(src/core/bad.cpp "#include <nlohmann/json.hpp>" "src/core may include modules [core], third party []")
expect(src/core/bad.cpp "#include <unistd.h>" "src/core/bad.cpp includes unistd.h")
expect(src/io/bad.cpp "#include \"tokensieve/engine/vit.h\"" "src/io may include modules [core io]")
expect(src/viz/bad.cpp "# include <tokensieve/engine.h>" "src/viz/bad.cpp includes tokensieve/engine.h")
expect(src/engine/bad.cpp "#include <dnnl.hpp>" "rule: src/engine may include")
expect(include/tokensieve/core/bad.h "#include \"private.h\"" "include/tokensieve/core/bad.h includes private.h")
expect(demos/classify/main.cpp "#include \"../../src/core/private.h\"" "demos/classify/main.cpp includes ../../")
expect(include/tokensieve/core/lost.h "#include <string>" "core.h does not include tokensieve/core/lost.h")
expect(include/tokensieve/viz.h "#pragma once" "tokensieve.h does not include tokensieve/viz.h")

file(REMOVE_RECURSE ${SCRATCH})
if(failures)
  message(FATAL_ERROR "${failures} cases of the header check are wrong")
endif()
