#!/usr/bin/env bash
# Builds tokensieve and classifies photos and a text with the shipped models, dense and sieved side by
# side, and draws what was dropped. On a fresh Debian machine it installs what is missing first.
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
"$tokensieve" classify --model weights/minilm_sst2 \
  --text 'The plot is thin and the jokes are old, but the two leads are so good together that I left with a smile.'
echo "heat maps: build/demo.png"
