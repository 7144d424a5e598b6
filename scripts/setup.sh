# What demo.sh and test.sh share: Debian packages and a private Python environment. Sourced, not run.
# Everything here does nothing when there is nothing to do.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
environment=$root/.venv-build
cd "$root"

build_packages=(ninja-build pkg-config libjpeg62-turbo-dev libwebp-dev libopencv-imgproc-dev
                libstb-dev libhwy-dev nlohmann-json3-dev libcli11-dev)
python3 -c 'import ensurepip' 2>/dev/null || build_packages+=(python3-venv)

# need_packages <package>...: installs those that are missing, as root or with sudo.
need_packages() {
  local package missing=() as_root=()
  if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian machine: install what gives you: $*"
    return 0
  fi
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  echo "installing ${missing[*]}"
  ((EUID == 0)) || as_root=(sudo)
  # One package source that does not answer is no reason to stop: the next line will tell.
  "${as_root[@]}" apt-get update -qq || true
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# need_environment: the Python environment .venv-build of the python3 on the path.
need_environment() {
  "$environment/bin/python" -m pip --version >/dev/null 2>&1 && return 0
  echo "making $environment"
  rm -rf "$environment"
  python3 -m venv "$environment"
}

# need_requirements <name>: scripts/requirements-<name>.txt, unless this very text is installed.
need_requirements() {
  local list=scripts/requirements-$1.txt mark=$environment/requirements-$1.txt
  cmp -s "$list" "$mark" && return 0
  echo "installing $list"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check -r "$list"
  cp "$list" "$mark"
}
