#!/usr/bin/env bash
# wheel.sh PYTHON WHEEL: use the wheel in an environment of its own, away from the clone.
# The dependencies are those that PYTHON's environment has, so that nothing is downloaded.
set -euo pipefail
python=$(realpath -s "$1") wheel=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH
export XDG_CACHE_HOME="$work/cache"

"$python" -m venv "$work/venv"
here=$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# A path in a .pth file is searched, its own .pth files are not read: the clone, an editable installation, stays unseen.
"$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$here/dependencies.pth"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --ignore-installed "$wheel"

cd "$work"
stdpnet=venv/bin/stdpnet
venv/bin/python -c 'import stdpnet, stdpnet_analysis, sys
assert all(sys.prefix in each.__file__ for each in (stdpnet, stdpnet_analysis)), (stdpnet, stdpnet_analysis)'
$stdpnet --version
$stdpnet config list > presets.txt
grep -q '^lcsnn-25-k12 ' presets.txt
$stdpnet docs model > model.md
grep -q '^### Step 6' model.md
$stdpnet config show digits > mine.toml
$stdpnet train mine.toml --set training.images=50 --set topology.channels=4 --run first > trained.txt
$stdpnet evaluate first --json > scores.json
grep -q '"linear"' scores.json
echo "The wheel works away from the clone."
