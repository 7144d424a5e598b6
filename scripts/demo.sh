#!/usr/bin/env bash
# Builds tokensieve and classifies photos with the shipped model, dense and sieved side by side, then
# draws what was dropped. On a fresh Debian machine it installs what is missing first.
#
#   scripts/demo.sh [IMAGE...]        default: some of demos/images

images=()
for image in "$@"; do images+=("$(realpath "$image")"); done  # setup.sh changes the folder
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
((${#images[@]})) || images=(demos/images/{golf_ball,parachute,tench,gas_pump_pair}.jpg)

need_packages "${build_packages[@]}"
need_environment
need_requirements build
cmake --preset release >/dev/null
cmake --build --preset release --target tokensieve_cli

tokensieve=build/release/bin/tokensieve
model=weights/vit_s14_imagenette
"$tokensieve" classify --model "$model" --compare-dense "${images[@]}"
"$tokensieve" visualize --model "$model" --out build/demo.png "${images[0]}"
echo "heat maps: build/demo.png"
