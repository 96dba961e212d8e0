#!/usr/bin/env bash
# Runs `runreport check` with the action's inputs and keeps its exit code as an output.
set -euo pipefail

arguments=(--github --fail-on "$INPUT_FAIL_ON")
add() {
    if [ -n "$2" ]; then arguments+=("$1" "$2"); fi
}
add --criteria "$INPUT_CRITERIA"
add --baseline "$INPUT_BASELINE"
add --junit "$INPUT_JUNIT"
add --sarif "$INPUT_SARIF"
add --comment "$INPUT_COMMENT"
while IFS= read -r line; do
    add --tier "$line"
done <<< "$INPUT_TIER"
while IFS= read -r line; do
    if [ -n "$line" ]; then arguments+=("$line"); fi
done <<< "$INPUT_OPTIONS"
# After --, so that no path is read as an option.
arguments+=(--)
while IFS= read -r line; do
    if [ -n "$line" ]; then arguments+=("$line"); fi
done <<< "$INPUT_PATHS"

bin="$RUNNER_TEMP/runreport-venv/bin"
if [ -d "$RUNNER_TEMP/runreport-venv/Scripts" ]; then bin="$RUNNER_TEMP/runreport-venv/Scripts"; fi
code=0
"$bin/runreport" check "${arguments[@]}" || code=$?
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
exit "$code"
