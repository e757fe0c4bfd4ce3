#!/usr/bin/env bash
# Build the image from the real Dockerfile and run it: read-only, without capabilities, without root.
# As root on Debian it needs no Docker daemon and no image registry: the images that the Dockerfile
# begins with are stand-ins then (container-bases.sh), so sizes and digests are not theirs.
# Usage: container.sh [PYTEST ARGUMENTS]    just `-m long` builds and runs the demonstration
# With CONTAINER_IMAGE set nothing is built, and that image is run by CONTAINER_ENGINE (docker).
# What it makes lies in CONTAINER_WORK, or else in a folder that is gone when it ends.
# Where neither is possible this says so and ends well: `make test` needs no container.
set -euo pipefail
cd "$(dirname "$0")/.."

run_scenes() { # ENGINE IMAGE DEMO [PYTEST ARGUMENTS]
    local engine=$1 image=$2 demo=$3
    shift 3
    echo "Running $image …"
    CONTAINER_ENGINE=$engine CONTAINER_IMAGE=$image DEMO_IMAGE=$demo \
        .venv/bin/python -m pytest -q tests/container "$@" </dev/null
}

not_here() {
    echo "Container: NOT built and NOT run here: $1" >&2
    exit 0
}

[ $# -gt 0 ] || set -- -m "not long"

if [ -n "${CONTAINER_IMAGE:-}" ]; then
    run_scenes "${CONTAINER_ENGINE:-docker}" "$CONTAINER_IMAGE" "${DEMO_IMAGE:-}" "$@"
    exit
fi

[ "$(id -u)" = 0 ] || not_here "it needs root."
export PATH=$PATH:/usr/sbin:/sbin
type -P apt-get >/dev/null || not_here "it needs Debian's packages."
unshare --mount true 2>/dev/null || not_here "this machine lets nobody mount."
type -P node npm >/dev/null || not_here "Node.js is missing."
missing=()
for program in podman runc; do
    type -P "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing ${missing[*]} …"
    export DEBIAN_FRONTEND=noninteractive
    if ! apt-get update -qq </dev/null ||
        ! apt-get install -qq -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null; then
        not_here "${missing[*]} cannot be installed."
    fi
fi

work=${CONTAINER_WORK:-$(mktemp -d /var/tmp/switchboard-container.XXXXXX)}
clean_up() {
    podman rm --all --force --volumes >/dev/null 2>&1 || true
    # Podman binds its store onto itself, and leaves it so.
    while umount "$work/root/overlay" 2>/dev/null; do :; done
    # Twice: the last word of a container that ends may still be written.
    [ -n "${CONTAINER_WORK:-}" ] || rm -rf "$work" 2>/dev/null || rm -rf "$work" || true
}
trap clean_up EXIT

# One overlay cannot lie on another; then every layer is a copy.
driver=overlay
[ "$(stat --file-system --format %T "$work")" != overlayfs ] || driver=vfs
cat >"$work/storage.conf" <<CONF
[storage]
driver = "$driver"
graphroot = "$work/root"
runroot = "$work/run"
CONF
# runc and cgroupfs, because they run without systemd; the host's network, because nothing sets up another.
cat >"$work/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "$work/libpod"
CONF
export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_CONF=$work/containers.conf

readonly PYTHON_BASE=localhost/switchboard-base-python:standin
readonly NODE_BASE=localhost/switchboard-base-node:standin
echo "Making stand-ins for the images that it begins with …"
CONTAINER_WORK=$work scripts/container-bases.sh "$PYTHON_BASE" "$NODE_BASE"
if ! refusal=$(podman run --rm "$PYTHON_BASE" python3 -c "" 2>&1); then
    not_here "this machine runs no containers: ${refusal##*$'\n'}"
fi

# The packages' caches of this machine are lent to it: what the locks name is fetched once.
uv_cache=$("$(scripts/find-uv.sh)" cache dir)
npm_cache=$(npm config get cache)
mkdir -p "$uv_cache" "$npm_cache"
build() { # TARGET IMAGE
    echo "Building $2 …"
    # Two stages at a time; --layers=false: nothing is kept for another build.
    TMPDIR=$work podman build --isolation chroot --pull=never --layers=false --jobs 2 --format docker \
        --build-arg PY_IMAGE="$PYTHON_BASE" --build-arg NODE_IMAGE="$NODE_BASE" \
        --build-arg SYSTEM_CERTS=true --build-arg UV_NO_CACHE=false \
        --volume "$uv_cache:/root/.cache/uv" --volume "$npm_cache:/root/.npm" \
        --target "$1" --tag "$2" . >"$work/build.log" 2>&1 ||
        { tail -40 "$work/build.log" >&2; exit 1; }
}

demo=
build production localhost/switchboard:ci
if [ "$*" = "-m long" ]; then
    demo=localhost/switchboard-demo:ci
    build demo "$demo"
fi
run_scenes podman localhost/switchboard:ci "$demo" "$@"
