# Finds third-party packages and wraps each in an interface target tokensieve_dep_<name>. Shared
# libraries are linked by file, not by imported target, so that the exported package never names
# them: an outside project that uses tokensieve looks for none of these.
#
# A missing package switches its module off with one status line.

find_package(PkgConfig QUIET)

# tokensieve_wrap(<name> <target>...): an interface target with the targets' headers and files.
function(tokensieve_wrap name)
  add_library(tokensieve_dep_${name} INTERFACE)
  foreach(target IN LISTS ARGN)
    target_include_directories(tokensieve_dep_${name} SYSTEM INTERFACE
      $<TARGET_PROPERTY:${target},INTERFACE_INCLUDE_DIRECTORIES>)
    target_compile_definitions(tokensieve_dep_${name} INTERFACE
      $<TARGET_PROPERTY:${target},INTERFACE_COMPILE_DEFINITIONS>)
    target_link_libraries(tokensieve_dep_${name} INTERFACE $<TARGET_FILE:${target}>)
  endforeach()
endfunction()

# tokensieve_switch_off(<option> <reason>): this build goes on without that part.
macro(tokensieve_switch_off option reason)
  set(${option} OFF)
  message(STATUS "tokensieve: ${option} is off: ${reason}")
endmacro()

# --- io -----------------------------------------------------------------------------------------
find_package(nlohmann_json 3 REQUIRED)
find_path(STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb REQUIRED)
add_library(tokensieve_dep_stb INTERFACE)
target_include_directories(tokensieve_dep_stb SYSTEM INTERFACE ${STB_INCLUDE_DIR})

find_package(JPEG QUIET)
if(JPEG_FOUND)
  tokensieve_wrap(jpeg JPEG::JPEG)
else()
  message(STATUS "tokensieve: no JPEG files: libjpeg-turbo not found")
endif()
if(PkgConfig_FOUND)
  pkg_check_modules(WEBP QUIET IMPORTED_TARGET libwebp)
endif()
if(TARGET PkgConfig::WEBP)
  add_library(tokensieve_dep_webp INTERFACE)
  target_include_directories(tokensieve_dep_webp SYSTEM INTERFACE ${WEBP_INCLUDE_DIRS})
  target_link_libraries(tokensieve_dep_webp INTERFACE ${WEBP_LINK_LIBRARIES})
else()
  message(STATUS "tokensieve: no WebP files: libwebp not found")
endif()

# --- engine -------------------------------------------------------------------------------------
# oneDNN's PyPI package puts its CMake files under the Python environment's prefix, which is not on
# CMake's path. An isolated `pip install .` has it in a temporary one. The interpreter knows both.
function(tokensieve_find_onednn_of_python out)
  set(${out} "" PARENT_SCOPE)
  find_package(Python COMPONENTS Interpreter QUIET)
  if(NOT Python_FOUND)
    return()
  endif()
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c "
import importlib.metadata as metadata
files = metadata.files('onednn-devel-cpu-gomp') or []
print(next(f.locate().resolve().parent for f in files if f.name == 'dnnl-config.cmake'), end='')"
    OUTPUT_VARIABLE folder RESULT_VARIABLE failed ERROR_QUIET)
  if(NOT failed)
    set(${out} ${folder} PARENT_SCOPE)
  endif()
endfunction()

if(TOKENSIEVE_ENGINE)
  find_package(OpenMP COMPONENTS CXX QUIET)
  find_package(hwy CONFIG QUIET)
  find_package(dnnl 3 CONFIG QUIET)
  if(NOT dnnl_FOUND)
    tokensieve_find_onednn_of_python(onednn_folder)
    find_package(dnnl 3 CONFIG QUIET HINTS ${onednn_folder})
  endif()
  if(NOT OpenMP_CXX_FOUND)
    tokensieve_switch_off(TOKENSIEVE_ENGINE "the compiler has no OpenMP")
  elseif(NOT hwy_FOUND)
    tokensieve_switch_off(TOKENSIEVE_ENGINE "Highway not found (Debian: libhwy-dev)")
  elseif(NOT dnnl_FOUND)
    tokensieve_switch_off(TOKENSIEVE_ENGINE
      "oneDNN 3 not found (pip install onednn-devel-cpu-gomp==2023.2.0)")
  else()
    tokensieve_wrap(onednn DNNL::dnnl)
    tokensieve_wrap(hwy hwy::hwy)
  endif()
endif()

# --- viz ----------------------------------------------------------------------------------------
# Found by file: OpenCV's own package file comes only with all of its modules.
if(TOKENSIEVE_VIZ)
  find_path(OPENCV_INCLUDE_DIR opencv2/imgproc.hpp PATH_SUFFIXES opencv4)
  find_library(OPENCV_CORE_LIBRARY opencv_core)
  find_library(OPENCV_IMGPROC_LIBRARY opencv_imgproc)
  if(OPENCV_INCLUDE_DIR AND OPENCV_CORE_LIBRARY AND OPENCV_IMGPROC_LIBRARY)
    add_library(tokensieve_dep_opencv INTERFACE)
    target_include_directories(tokensieve_dep_opencv SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
    target_link_libraries(tokensieve_dep_opencv
      INTERFACE ${OPENCV_IMGPROC_LIBRARY} ${OPENCV_CORE_LIBRARY})
  else()
    tokensieve_switch_off(TOKENSIEVE_VIZ "OpenCV 4 not found (Debian: libopencv-imgproc-dev)")
  endif()
endif()

# --- nn -----------------------------------------------------------------------------------------
# LibTorch's package file sets flags for the whole directory, so it is read inside a function. Its
# include folder carries pybind11 and oneDNN headers of its own: no target sees it beside those.
function(tokensieve_find_torch)
  find_package(Torch 2 CONFIG QUIET)
  if(NOT Torch_FOUND)
    find_package(Python COMPONENTS Interpreter QUIET)
    if(Python_FOUND)
      execute_process(
        COMMAND ${Python_EXECUTABLE} -c "import torch.utils; print(torch.utils.cmake_prefix_path, end='')"
        OUTPUT_VARIABLE prefix RESULT_VARIABLE failed ERROR_QUIET)
      if(NOT failed)
        find_package(Torch 2 CONFIG QUIET HINTS ${prefix}/Torch)
      endif()
    endif()
  endif()
  if(Torch_FOUND)
    add_library(tokensieve_dep_torch INTERFACE)
    target_include_directories(tokensieve_dep_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
    target_link_libraries(tokensieve_dep_torch INTERFACE ${TORCH_LIBRARIES})
  endif()
endfunction()

if(TOKENSIEVE_NN)
  find_package(OpenMP COMPONENTS CXX QUIET)
  tokensieve_find_torch()
  if(NOT TARGET tokensieve_dep_torch)
    tokensieve_switch_off(TOKENSIEVE_NN "LibTorch 2 not found (pip install torch, or set Torch_DIR)")
  endif()
endif()

# --- programs -----------------------------------------------------------------------------------
if(TOKENSIEVE_CLI)
  find_package(CLI11 QUIET)
  if(NOT CLI11_FOUND)
    tokensieve_switch_off(TOKENSIEVE_CLI "CLI11 not found (Debian: libcli11-dev)")
  endif()
endif()
foreach(program CLI DEMOS BENCHMARKS PYTHON)
  if(TOKENSIEVE_${program} AND NOT TOKENSIEVE_ENGINE)
    tokensieve_switch_off(TOKENSIEVE_${program} "it needs the engine")
  endif()
endforeach()
if(TOKENSIEVE_TESTS)
  find_package(Catch2 2 QUIET)
  if(NOT Catch2_FOUND)
    tokensieve_switch_off(TOKENSIEVE_TESTS "Catch2 2 not found (Debian: catch2)")
  endif()
endif()
