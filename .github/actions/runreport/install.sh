#!/usr/bin/env bash
# Installs runreport into an environment of its own, so that it changes nothing that the job has installed.
set -euo pipefail

python=$(command -v python3 || command -v python || true)
if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "::error title=runreport::needs Python 3.11 or newer: set it up before, with actions/setup-python"
    exit 2
fi
venv="$RUNNER_TEMP/runreport-venv"
"$python" -m venv "$venv"
bin="$venv/bin"
if [ -d "$venv/Scripts" ]; then bin="$venv/Scripts"; fi
"$bin/python" -m pip install --quiet --disable-pip-version-check "${INPUT_REQUIREMENT:-$GITHUB_ACTION_PATH/../../..}"
"$bin/runreport" --version
