#!/bin/bash
# ComfyUI at /srv/comfyui/app: from the archive in the models bucket, or, where there is none, by comfy-cli from its
# sources. `install.sh store` also makes the archive: on the builder, for a host may not. Runs as comfyui-setup.
set -euo pipefail
umask 022
comfy_cli=1.23.0
cuda=13.0
here=$(dirname "$(readlink -f "$0")")
fast=/srv/comfyui
baked=/opt/comfyui-app
archive=$fast/comfyui.tar.zst
models() { /opt/node/bin/node /opt/comfyui-host/models.mjs "$@"; }

# Whatever changes what is installed changes the name.
recipe=$(cat "$here/install.sh" "$here/constraints.txt" | sha256sum | cut -c1-12)
python=$(/usr/bin/python3 -c 'import sys; print("py%d%d" % sys.version_info[:2])')
name=comfyui-$COMFYUI_VERSION-$recipe-$python

if [ "$(cat "$fast/app/.installed" 2>/dev/null)" = "$name" ]; then exit 0; fi
rm -rf "$fast/app"
# The hosts' own image has it, unless that is older than what is wanted.
if [ "$(cat "$baked/.installed" 2>/dev/null)" = "$name" ]; then
  ln -s "$baked" "$fast/app"
  exit 0
fi

code=0
models archive fetch "$name" "$archive" || code=$?
case $code in
  0)
    tar -C "$fast" --zstd -xf "$archive" --no-same-owner
    rm -f "$archive" "$fast"/.comfyui.tar.zst.*
    ;;
  3 | 4)
    if [ "${1:-}" != store ]; then
      echo 'comfyui-host: ComfyUI is installed from its sources, which takes minutes; the output BuildCommand of the stack with the GPU hosts prepares it for all hosts'
    fi
    # The venv of comfy-cli is not ComfyUI's: that one is app/.venv, which comfy-cli makes.
    rm -rf "$fast/comfy-cli"
    /usr/bin/python3 -m venv "$fast/comfy-cli"
    export PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 DO_NOT_TRACK=1 COMFY_NO_TELEMETRY=1
    "$fast/comfy-cli/bin/pip" install --quiet "comfy-cli==$comfy_cli"
    PIP_CONSTRAINT=$here/constraints.txt "$fast/comfy-cli/bin/comfy" --skip-prompt --workspace "$fast/app" install \
      --nvidia --cuda-version "$cuda" --version "$COMFYUI_VERSION" --skip-manager
    "$fast/app/.venv/bin/python" -c 'import torch; assert torch.version.cuda, "PyTorch came without CUDA"'
    test -f "$fast/app/main.py"
    rm -rf "$fast/comfy-cli" "$fast/app/.git"
    ;;
  *) exit "$code" ;;
esac
echo "$name" >"$fast/app/.installed"

if [ "${1:-}" != store ]; then exit 0; fi
if [ "$code" = 0 ]; then
  echo "$name is stored already"
  exit 0
fi
tar -C "$fast" --use-compress-program='zstd -T0 -3 -q' -cf "$archive" app
models archive "$(if [ "$code" = 4 ]; then echo replace; else echo store; fi)" "$name" "$archive"
rm -f "$archive"
