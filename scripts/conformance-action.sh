#!/usr/bin/env bash
# What action.yml runs: the suite once, with its report in the log, as JUnit, and as the summary of the job.
# Takes its inputs from ADAPTER, EXEC, BROWSER, OPTIONS, JUNIT and VERSION; all but JUNIT and VERSION may be empty.
set -euo pipefail

arguments=()
if [ -n "$ADAPTER" ]; then arguments+=("$ADAPTER"); fi
if [ -n "$EXEC" ]; then arguments+=(--exec "$EXEC"); fi
if [ -n "$BROWSER" ]; then arguments+=(--browser "$BROWSER"); fi
read -ra options <<<"$OPTIONS"

# The project's own version where it has one installed: its adapter was written for that.
package=@batchnorm/conformance
if [ ! -e node_modules/$package ]; then package=$package@$VERSION; fi

summary=$(mktemp -d)/summary.md
status=0
npx --yes --package "$package" batchnorm-conformance ${arguments[@]+"${arguments[@]}"} ${options[@]+"${options[@]}"} \
  --also "junit=$JUNIT" --also "markdown=$summary" || status=$?

if [ -f "$summary" ]; then cat "$summary" >>"$GITHUB_STEP_SUMMARY"; fi
echo "junit=$(pwd)/$JUNIT" >>"$GITHUB_OUTPUT"
exit "$status"
