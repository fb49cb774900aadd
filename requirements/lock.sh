#!/bin/sh
# Writes the hash-locked lists anew. They name versions and hashes and no address: where packages come from is the
# configuration of whoever installs them. run ⊆ demo ⊆ test, each held to the versions of the one before it; the stock
# clients and servers of the tests have lists of their own, because they pin other versions of the same libraries.
set -eu
cd "$(dirname "$0")/.."

uv=${UV:-$(command -v uv || true)}
if [ -z "$uv" ]; then
    echo "make lock needs uv: install it (pipx install uv, or your system's package) or say UV=/path/to/uv." >&2
    exit 1
fi

lock() {
    echo "lock: $*"
    "$uv" pip compile --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
        --no-emit-index-url --no-emit-find-links --quiet "$@"
}

lock pyproject.toml --group build -o requirements/run.txt
lock pyproject.toml --group build --group demo -c requirements/run.txt -o requirements/demo.txt
lock pyproject.toml --group build --group demo --group check --group test -c requirements/demo.txt -o requirements/test.txt
for apart in client-triton client-kserve server-postgres server-mlserver server-fastapi; do
    lock "requirements/$apart.in" -o "requirements/$apart.txt"
done
