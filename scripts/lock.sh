#!/usr/bin/env bash
# Compile the lock files: every version pinned, every file by hash, no address of any index.
set -eu
.venv/bin/pip install --quiet pip-tools
cd requirements
for name in base analysis dev; do
  ../.venv/bin/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
    --strip-extras --allow-unsafe "$name.in" -o "$name.txt"
done
