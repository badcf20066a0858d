# ComfyUI at a pinned version, installed by its own comfy-cli, without the manager that installs code at run time.
# PyTorch contains CUDA 13; the driver, 580 or later, comes from the machine (NVIDIA Container Toolkit).

FROM python:3.12.12-slim-bookworm AS build
ARG COMFYUI_VERSION
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
# The installer is separate from what it installs.
RUN python -m venv /opt/comfy-cli && /opt/comfy-cli/bin/pip install --no-cache-dir comfy-cli==1.23.0
RUN python -m venv /opt/python
# As on GPU hosts (infra/host/boot): in a build without a GPU comfy-cli would choose CUDA 12.6.
RUN printf '%s\n' torch==2.13.0 torchvision==0.28.0 torchaudio==2.11.0 > /constraints.txt && \
  VIRTUAL_ENV=/opt/python PIP_NO_CACHE_DIR=1 PIP_CONSTRAINT=/constraints.txt \
  /opt/comfy-cli/bin/comfy --skip-prompt --workspace=/opt/comfyui \
  install --nvidia --cuda-version 13.0 --version "$COMFYUI_VERSION" --skip-manager

FROM python:3.12.12-slim-bookworm
# The API deletes what ended jobs leave in output and input, and nothing else.
RUN groupadd --gid 10000 box && useradd --uid 10001 --gid box --no-create-home --shell /usr/sbin/nologin comfyui \
  && install -d -o comfyui -g box -m 0755 /comfyui /comfyui/custom_nodes /comfyui/models /comfyui/temp \
  && install -d -o comfyui -g box -m 2775 /comfyui/output /comfyui/input \
  && install -d -o comfyui -g box -m 0700 /comfyui/user
COPY --from=build /opt/python /opt/python
COPY --from=build /opt/comfyui /opt/comfyui
ENV PATH=/opt/python/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /opt/comfyui
USER comfyui
EXPOSE 8188
# All interfaces of the container: none of its ports is published. Files stay writable for the group.
ENTRYPOINT ["/bin/sh", "-c", "umask 0002 && exec python main.py \"$@\"", "comfyui"]
CMD ["--listen", "0.0.0.0", "--port", "8188", "--base-directory", "/comfyui", "--database-url", "sqlite:////comfyui/user/comfyui.db", "--disable-api-nodes", "--disable-auto-launch", "--preview-method", "auto"]
