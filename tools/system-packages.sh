#!/bin/sh
# Makes sure that Debian packages are there. Each argument is `package` or `package:command`;
# a package whose command (or file, named with its path) is found is left alone. Root on Debian installs, others are told.
set -eu
missing=""
for item in "$@"; do
    package=${item%%:*}
    command=${item#*:}
    command -v "$command" >/dev/null 2>&1 || [ -e "$command" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
    apt-get update -qq
    # shellcheck disable=SC2086 # The list is meant to be split.
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
else
    echo "Please install these packages first:$missing" >&2
    echo "On Debian: sudo apt-get install$missing" >&2
    exit 1
fi
