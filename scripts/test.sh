#!/usr/bin/env bash
# Builds everything with warnings as errors and runs all tests: C++, then core, io and data under the
# address and undefined-behaviour sanitizers, then Python. On a fresh Debian machine it installs what
# is missing first.

source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

test_packages=(catch2 ccache binutils)
python3 -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null ||
  test_packages+=(python3-dev)
need_packages "${build_packages[@]}" "${test_packages[@]}"
need_environment
need_requirements build
need_requirements test
python=$environment/bin/python

# Other versions lay code out in other ways; Debian 12's is the one that decides, where it is there.
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
  echo "== layout =="
  find include src python tests demos -name '*.cpp' -o -name '*.h' | xargs clang-format --dry-run -Werror
fi

# Several test programs share the cores: an idle thread of one that spins keeps another from working.
export OMP_WAIT_POLICY=passive

echo "== C++ =="
cmake --preset test
cmake --build --preset test
ctest --preset test

echo "== core, io and data under the sanitizers =="
cmake --preset asan-core
cmake --build --preset asan-core
ctest --preset asan-core

echo "== Python =="
# By the name that CMake calls it above, so that ccache, which tells names apart, has most of it.
CXX=c++ "$python" -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
  -Cbuild-dir=build/wheel -Ccmake.define.TOKENSIEVE_WARNINGS_AS_ERRORS=ON .
TOKENSIEVE_REQUIRE_NN=1 "$python" -m pytest tests/python
